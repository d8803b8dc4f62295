use super::*;
use crate::model::job::JobCommand;
use std::path::Path;

fn source(text: &str) -> Source<'_> {
    Source { path: Path::new("/p/agents.toml"), text, home: None }
}

fn faults(text: &str) -> String {
    let source = source(text);
    Templates::read(&source, None).faults.iter().map(|fault| fault.render(false) + "\n").collect()
}

fn params(names: &[&str]) -> Vec<Param> {
    names.iter().map(|name| Param { name: (*name).into(), default: None }).collect()
}

#[test]
fn a_reference_fits_the_quotes_around_it() {
    let x = "${AGENTS_PARAM_x}";
    for (line, expected) in [
        ("echo {x}", format!("echo \"{x}\"")),
        ("echo a{x}b \"a {x} b\" 'a {x} b'", format!("echo a\"{x}\"b \"a {x} b\" 'a '\"{x}\"' b'")),
        ("echo $(ls {x}) \"$(ls {x})\"", format!("echo $(ls \"{x}\") \"$(ls \"{x}\")\"")),
        ("# don't {x}\necho {x}", format!("# don't x\necho \"{x}\"")),
        ("a#b {x}", format!("a#b \"{x}\"")),
        ("echo \\' {x} \\\" {x}", format!("echo \\' \"{x}\" \\\" \"{x}\"")),
        ("cat <<< {x}", format!("cat <<< \"{x}\"")),
        ("case {x} in a) echo {x};; esac", format!("case \"{x}\" in a) echo \"{x}\";; esac")),
        ("if [ {x} = 1 ]; then (cd {x}); fi", format!("if [ \"{x}\" = 1 ]; then (cd \"{x}\"); fi")),
        ("ls *[0-9] a[0-9] {x}", format!("ls *[0-9] a[0-9] \"{x}\"")),
        ("x=$((1 + (2))); ((3)); echo {x}", format!("x=$((1 + (2))); ((3)); echo \"{x}\"")),
        ("\"${HOME:-'}\" {x}", format!("\"${{HOME:-'}}\" \"{x}\"")),
    ] {
        assert_eq!(shell::refer(line, &params(&["x"])), Ok(expected), "{line}");
    }
}

#[test]
fn the_braces_of_others_stay_as_they_are() {
    for line in
        ["echo ${x} ${HOME}", "awk '{print $1}' f", "echo {a,b} {1..3}", "docker ps --format '{{.ID}}'", "f() { ls; }"]
    {
        assert_eq!(shell::refer(line, &params(&["x"])), Ok(line.into()), "{line}");
    }
    assert_eq!(shell::refer("echo {{x}} '{{x}}'", &params(&["x"])), Ok("echo {x} '{x}'".into()));
}

#[test]
fn where_a_shell_would_compute_with_it_nothing_is_put() {
    for line in [
        "echo $((1 + {x}))",
        "((y = {x}))",
        "echo \"$((\"{x}\"))\"",
        "[[ {x} -eq 1 ]]",
        "[[ 1 -eq \"{x}\" ]]",
        "a[{x}]=1",
        "a[1+{x}]=1",
        "echo $[ {x} ]",
        "echo `ls {x}`",
        "echo ${y:-{x}}",
        "echo $'{x}'",
        "cat <<END\n{x}\nEND",
        "cat <<-'END' # c\n{x}\nEND",
    ] {
        let told = shell::refer(line, &params(&["x"]));
        assert!(matches!(told, Err(shell::Wrong::Place { .. })), "{line}: {told:?}");
    }
}

#[test]
fn a_template_is_a_job_with_its_values() {
    let text = "[defaults]\nanything = 1\n[[job]]\nname = 'deploy'\nparams = ['host', 'tag=a b']\ndir = 'to/{host}'\n\
                timeout = '{host}m'\nenv = { T = '{tag}', B = '{{tag}}' }\n\
                steps = [{ cmd = 'echo {tag}', desc = 'To {host}' }, { cmd = ['cp', 'x-{tag}', '{{host}}'], if = 'test {host}' }]\n";
    let source = source(text);
    let all = Templates::read(&source, None);
    assert!(all.faults.is_empty(), "{}", all.faults[0].render(false));
    let template = &all.list[0];
    assert_eq!((template.name.as_str(), usage(&template.params).as_str()), ("deploy", "host=… tag=a b"));
    let job = all.job(template, vec!["7".into(), "$(x)".into()]).map_err(|f| f[0].render(false)).expect("a job");
    assert_eq!((job.dir.as_deref(), job.timeout), (Some("to/7"), Some(Duration::from_secs(420))));
    assert_eq!(job.env, [("T".to_owned(), "$(x)".to_owned()), ("B".into(), "{tag}".into())]);
    assert_eq!(job.steps[0].desc, "To 7");
    assert_eq!(
        job.steps[0].command,
        JobCommand::Shell(crate::model::job::Bytes("echo \"${AGENTS_PARAM_tag}\"".into()))
    );
    let JobCommand::Argv(words) = &job.steps[1].command else { panic!("words") };
    assert_eq!(words.iter().map(|w| w.0.clone()).collect::<Vec<_>>(), ["cp", "x-$(x)", "{host}"]);
    assert_eq!(job.steps[1].only_if.as_deref(), Some("test \"${AGENTS_PARAM_host}\""));
    assert_eq!(job.params[1], ("AGENTS_PARAM_tag".into(), "$(x)".into()));
    let told = all.job(template, vec!["never".into(), "x".into()]).expect_err("no time");
    assert!(told[0].render(false).contains("`timeout` of job `deploy`"), "{}", told[0].render(false));
}

#[test]
fn every_fault_is_told_at_once_with_its_place() {
    let told = faults(
        "[[job]]\nname = 'a'\nparmas = ['x']\nsteps = [{ cmd = 'true' }]\n\
         [[job]]\nsteps = [{ cmd = 'true' }]\n\
         [[job]]\nname = 'b'\nparams = ['tag', '1x', 'tag=2', 3]\ndir = '{dri}'\n\
         steps = [{ cmd = 'echo {tga} $((1+1))' }, { cmd = ['x', '{tga}'] }, { cmd = 'echo $(( {tag} ))', timout = 1 }]\n\
         [[job]]\nname = 'b'\nsteps = []\n\
         [[job]]\nname = 'c'\nparams = { tag = 'x' }\nsteps = [{ cmd = 'true' }]\n",
    );
    for part in [
        "unknown key `parmas`",
        "did you mean `params`?",
        "template 2 has no `name`",
        "`1x` cannot be a parameter's name",
        "two parameters are named `tag`",
        "contains a whole number; text is wanted",
        "`dir` names the parameter `dri`, which there is not",
        "the parameters are `tag`",
        "`cmd` names the parameter `tga`, which there is not",
        "did you mean `{tag}`?",
        "`{tag}` of `cmd` stands in arithmetic",
        "unknown key `timout`",
        "two templates are named `b`",
        "`steps` of job `b` is empty",
        "write `params = [\"tag=x\"]`",
        "/p/agents.toml:3:1",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(faults("job = 3\n").contains("write its header as `[[job]]`"));
    assert_eq!(faults("[defaults]\nx = 1\n"), "");
}
