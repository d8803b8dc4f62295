//! `agents run --template NAME K=V…`: the job of a template of `agents.toml`.
use super::super::{
    Context, check,
    failure::{Failure, Report, complain},
    jobs::Ground,
    locate,
};
use crate::{
    config::{Fault, Source},
    jobs::file::{
        JobPart,
        template::{Param, Template, Templates, VARIABLE, usage},
    },
    model::{
        name::{printable, printable_cut},
        nearest::nearest,
    },
};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
};

/// Asks for a list instead of a job.
const LIST: &str = "?";
/// Bytes of one variable with its name, as Linux counts them.
const LONGEST: usize = 128 * 1024 - 1;

/// `None`: the templates were listed instead.
pub fn part(
    name: &str,
    words: &[OsString],
    ground: &Ground,
    context: &mut Context,
) -> Result<Option<JobPart>, Failure> {
    let Some(config) = locate::optional(context.config.clone())? else {
        let text = "there is no `agents.toml` here or in any folder above, and templates stand in it";
        return Err(Failure::new(3, text).hint("`agents init` makes one, `--config PATH` names one"));
    };
    let (path, text) = check::read(&config)?;
    let source = Source { path: &path, text: &text, home: None };
    let told = |faults: Vec<Fault>, code| {
        let shown: Vec<String> = faults.iter().map(|fault| fault.render(false)).collect();
        Failure::new(code, shown.join("\n\n"))
    };
    let all = Templates::read(&source, ground.rules.step_timeout);
    if name == LIST {
        return list(&all.list, context).map(|_| None);
    }
    let Some(template) = all.list.iter().find(|template| template.name == name) else {
        let unreadable = all.list.is_empty() && !all.faults.is_empty();
        return Err(if unreadable { told(all.faults, 3) } else { unknown(name, &all.list) });
    };
    if !template.is_sound {
        return Err(told(all.faults, 3));
    }
    let values = values(template, words)?;
    let mut part = all.job(template, values).map_err(|faults| told(faults, 1))?;
    if part.description.is_none() {
        let words = words.iter().map(|word| word.to_string_lossy());
        let line: Vec<_> = std::iter::once(name.into()).chain(words).collect();
        part.description = Some(printable_cut(&line.join(" "), 200));
    }
    if let (Some(dir), Some(project)) = (&part.dir, &ground.project) {
        part.dir = Some(project.join(dir).into_os_string().into_string().map_err(|path| {
            let shown = printable(&path.to_string_lossy());
            Failure::new(1, format!("`dir` of template `{name}` is not UTF-8: `{shown}`"))
        })?);
    }
    Ok(Some(part))
}

fn list(templates: &[Template], context: &mut Context) -> Report {
    let out = &mut context.out;
    if templates.is_empty() {
        out.line("no templates: a `[[job]]` in agents.toml is one")?;
    }
    for template in templates {
        out.line(&row(template))?;
        if !template.is_sound {
            out.flush()?;
            let text = format!("warning: template `{}` has faults", template.name);
            complain(&format!("{text}\nhint: `agents check` tells them"));
        }
    }
    Ok(0)
}

/// `deploy host=… tag=latest   Copies the build to a host`.
fn row(template: &Template) -> String {
    let mut row = template.name.clone();
    if !template.params.is_empty() {
        row.push_str(&format!(" {}", printable_cut(&usage(&template.params), 200)));
    }
    if let Some(description) = &template.description {
        row.push_str(&format!("   {}", printable_cut(description, 200)));
    }
    row
}

fn unknown(name: &str, templates: &[Template]) -> Failure {
    let mut text = format!("there is no template `{}`", printable_cut(name, 60));
    let names = templates.iter().map(|template| template.name.as_str());
    let hint = match (templates, nearest(name, names)) {
        ([], _) => "a `[[job]]` in agents.toml is one".to_owned(),
        (_, Some(near)) => format!("did you mean `{near}`?"),
        (_, None) => "`agents run --template` lists them".into(),
    };
    for template in templates {
        text.push_str(&format!("\n  {}", row(template)));
    }
    Failure::new(2, text).hint(hint)
}

/// What the line gives, else the defaults. Everything that is wrong with them at once.
fn values(template: &Template, words: &[OsString]) -> Result<Vec<OsString>, Failure> {
    let params = &template.params;
    let mut values: Vec<Option<OsString>> = vec![None; params.len()];
    let mut wrong = Vec::new();
    for word in words {
        let bytes = word.as_bytes();
        let Some(at) = bytes.iter().position(|b| *b == b'=') else {
            wrong.push(format!("`{}` is not NAME=VALUE", printable_cut(&word.to_string_lossy(), 60)));
            continue;
        };
        let name = OsStr::from_bytes(&bytes[..at]).to_string_lossy();
        let shown = printable_cut(&name, 60);
        let Some(number) = params.iter().position(|param| param.name == name) else {
            let near = nearest(&name, params.iter().map(|param| param.name.as_str()));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            wrong.push(format!("template `{}` has no parameter `{shown}`{near}", template.name));
            continue;
        };
        let value = OsString::from_vec(bytes[at + 1..].to_vec());
        if VARIABLE.len() + name.len() + 1 + value.len() > LONGEST {
            let size = value.len().div_ceil(1000);
            wrong.push(format!("the value of `{shown}` is too long for the system: {size} kB; a file may hold it"));
        } else if values[number].replace(value).is_some() {
            wrong.push(format!("`{shown}` is given twice"));
        }
    }
    let is_missing = |(param, value): &(&Param, &Option<OsString>)| value.is_none() && param.default.is_none();
    let missing: Vec<String> =
        params.iter().zip(&values).filter(is_missing).map(|(param, _)| format!("`{}`", param.name)).collect();
    if !missing.is_empty() {
        wrong.push(format!("template `{}` needs {}", template.name, missing.join(", ")));
    }
    if !wrong.is_empty() {
        let line = format!("agents run --template {} {}", template.name, usage(params));
        return Err(Failure::new(2, wrong.join("\n")).hint(line.trim_end()));
    }
    let default = |param: &Param| OsString::from(param.default.as_deref().unwrap_or_default());
    Ok(params.iter().zip(values).map(|(param, value)| value.unwrap_or_else(|| default(param))).collect())
}
