//! The report for people: who did what in one table, then what needs a person, then what happened.
use super::{
    alike,
    data::{AgentReport, Gap, Need, Report, Told},
    rows,
};
use crate::{
    model::time::Wall,
    view::{paint::Tint, table::Look},
};
/// Of a kind that can come by the hundred, so many of the newest are shown; JSON has all.
const MOST: usize = 20;

/// The whole page, with a newline at its end.
pub fn page(report: &Report, look: Look) -> String {
    let page = Page { report, look };
    let mut out = page.head();
    out.push_str(&page.table());
    out.push_str(&page.sections());
    out
}

struct Page<'a> {
    report: &'a Report,
    look: Look,
}

impl Page<'_> {
    fn head(&self) -> String {
        let r = self.report;
        let title = r.fleet.project_dir.rsplit('/').find(|part| !part.is_empty()).unwrap_or("/");
        let (from, until) = (r.since.format_local("%a %b %-d %H:%M"), r.until.format_local("%a %b %-d %H:%M"));
        let length = self.span(r.since, r.until);
        let title = self.look.paint.tint(Tint::Bold, &format!("report on {title}"));
        let mut lines = vec![format!("{title}  {from} to {until} ({length})")];
        lines.extend(self.phases().map(|parts| self.flow(&parts)).unwrap_or_default());
        lines.extend(self.flow(&self.totals()));
        if !r.fleet.watchdog {
            lines.push(self.look.paint.tint(Tint::Yellow, "no watchdog runs: this is what was known last"));
        }
        lines.iter().map(|line| format!(" {line}\n")).collect()
    }

    /// Parts after each other, as many on a line as fit.
    fn flow(&self, parts: &[String]) -> Vec<String> {
        let room = usize::from(self.look.width.unwrap_or(u16::MAX)).saturating_sub(2);
        let mut lines: Vec<String> = Vec::new();
        for part in parts {
            match lines.last_mut() {
                Some(line) if line.chars().count() + 3 + part.chars().count() <= room => {
                    line.push_str(" · ");
                    line.push_str(part);
                }
                _ => lines.push(part.clone()),
            }
        }
        lines
    }

    fn phases(&self) -> Option<Vec<String>> {
        let r = self.report;
        let phase = r.phase.as_ref()?;
        let mut parts = vec![match r.sequence_complete {
            Some(_) => format!("all {} phases done", phase.count),
            None => format!("phase {} [{}/{}]", phase.id, phase.index + 1, phase.count),
        }];
        parts.extend(r.phases_done.iter().map(|p| format!("{} done at {}", p.id, self.stamp(p.at))));
        Some(parts)
    }

    fn totals(&self) -> Vec<String> {
        let t = &self.report.totals;
        let n = self.report.agents.len();
        let mut words = vec![match t.share {
            Some(share) => format!(
                "{}: at work {} of the time they could ({} of {})",
                count(n, "agent"),
                percent(share),
                seconds(t.worked_s),
                seconds(t.could_work_s)
            ),
            None => format!("{}: nobody's work was seen", count(n, "agent")),
        }];
        let mut add = |n: usize, word: &str, length: u64| {
            let length = if length > 0 { format!(" ({})", seconds(length)) } else { String::new() };
            if n > 0 {
                words.push(format!("{}{length}", count(n, word)));
            }
        };
        t.turns.iter().for_each(|n| add(*n as usize, "turn", 0));
        t.commits.iter().for_each(|n| add(*n as usize, "commit", 0));
        add(t.holds, "hold", t.held_s);
        add(t.restarts, "restart", 0);
        add(t.waits, "question", t.waited_s);
        add(t.answers, "automatic answer", 0);
        add(t.undelivered, "lost message", 0);
        t.cost_usd.iter().for_each(|usd| words.push(money(*usd)));
        words
    }

    fn table(&self) -> String {
        let agents = &self.report.agents;
        let known = |of: fn(&AgentReport) -> bool| agents.iter().any(of);
        let some = |n: usize| if n == 0 { "-".to_owned() } else { n.to_string() };
        let with = |n: usize, s: u64| if n == 0 { "-".to_owned() } else { format!("{n} ({})", seconds(s)) };
        let or = |n: Option<u64>| n.map_or("-".to_owned(), |n| n.to_string());
        let mut columns: Vec<Column> = vec![
            Column::new("AGENT", 0, agents, |a| a.name.clone()),
            Column::new("SHARE", 0, agents, |a| a.share.map_or("-".into(), percent)).right(),
            Column::new("WORKED", 3, agents, |a| match (a.worked_s, a.could_work_s) {
                (Some(worked), Some(could)) if could > 0 => format!("{} of {}", seconds(worked), seconds(could)),
                _ => "-".into(),
            }),
        ];
        if known(|a| a.turns.is_some()) {
            columns.push(Column::new("TURNS", 2, agents, |a| or(a.turns)).right());
        }
        if known(|a| a.tokens.is_some()) {
            columns.push(Column::new("TOKENS", 5, agents, |a| a.tokens.map_or("-".into(), thousands)).right());
        }
        if known(|a| a.cost_usd.is_some()) {
            columns.push(Column::new("COST", 4, agents, |a| a.cost_usd.map_or("-".into(), money)).right());
        }
        if known(|a| a.commits.is_some()) {
            columns.push(Column::new("COMMITS", 1, agents, |a| or(a.commits)).right());
        }
        columns.extend([
            Column::new("HOLDS", 0, agents, |a| with(a.holds.len(), a.held_s)),
            Column::new("RESTARTS", 0, agents, |a| some(a.restarts.len())).right(),
            Column::new("ASKED", 0, agents, |a| with(a.waits.len(), a.waited_s)),
            Column::new("LOST", 1, agents, |a| some(a.undelivered.len())).right(),
            Column::new("NOW", 0, agents, |a| a.state.clone()),
        ]);
        self.fit(&mut columns);
        let right: Vec<usize> = (0..columns.len()).filter(|i| columns[*i].right).collect();
        let rows: Vec<Vec<String>> =
            (0..=agents.len()).map(|row| columns.iter().map(|c| c.cells[row].clone()).collect()).collect();
        let mut out = String::from("\n");
        for (i, line) in rows::lines(&rows, &right, None).iter().enumerate() {
            let line = if i == 0 { self.look.paint.tint(Tint::Bold, line) } else { self.coloured(line) };
            out.push_str(&format!("{line}\n"));
        }
        out
    }

    /// Drops what can be spared, until the rest fits.
    fn fit(&self, columns: &mut Vec<Column>) {
        let Some(width) = self.look.width else { return };
        let needs = |columns: &[Column]| columns.iter().map(Column::needs).sum::<usize>();
        while needs(columns) > usize::from(width) {
            let last = columns.iter().enumerate().filter(|(_, c)| c.spare > 0).max_by_key(|(_, c)| c.spare);
            match last.map(|(i, _)| i) {
                Some(i) => columns.remove(i),
                None => return,
            };
        }
    }

    /// The state now, at the end of a row.
    fn coloured(&self, line: &str) -> String {
        let Some((before, state)) = line.rsplit_once(' ') else { return line.to_owned() };
        let tint = match state {
            "working" => Tint::Green,
            "waiting" | "limited" | "backoff" | "paused" => Tint::Yellow,
            "gave-up" | "fatal" | "quarantined" => Tint::Red,
            _ => return line.to_owned(),
        };
        format!("{before} {}", self.look.paint.tint(tint, state))
    }

    fn sections(&self) -> String {
        let r = self.report;
        let mut out = String::new();
        self.section(&mut out, "needs you", Tint::Red, self.needs());
        self.section(&mut out, "holds", Tint::Bold, newest(self.holds()));
        self.section(&mut out, "questions that are over", Tint::Bold, newest(self.answered()));
        self.section(&mut out, "answered by rules", Tint::Bold, newest(self.by_rules()));
        self.section(&mut out, "restarts", Tint::Bold, newest(self.restarts()));
        self.section(&mut out, "no watchdog", Tint::Bold, newest(self.gaps()));
        self.section(&mut out, "incidents", Tint::Bold, newest(self.told(&r.incidents)));
        self.section(&mut out, "other alerts", Tint::Bold, newest(self.told(&r.alerts)));
        if out.is_empty() {
            out.push_str("\n nobody is waited for; no hold, no restart, no incident\n");
        }
        out
    }

    fn section(&self, out: &mut String, title: &str, tint: Tint, rows: Vec<Vec<String>>) {
        if rows.is_empty() {
            return;
        }
        out.push_str(&format!("\n {}\n", self.look.paint.tint(tint, title)));
        rows::lines(&rows, &[], self.look.width).iter().for_each(|line| out.push_str(&format!("{line}\n")));
    }

    fn needs(&self) -> Vec<Vec<String>> {
        let row = |need: &Need| {
            let since = need.since.map(|at| self.stamp(at)).unwrap_or_default();
            let long = need.since.map(|at| self.span(at, self.report.until)).unwrap_or_default();
            let what = match need.kind.as_str() {
                "waiting" => format!("asks, for {long} now: {}", need.text),
                "gave-up" => format!("gave up: {}", need.text),
                _ => need.text.clone(),
            };
            let hint = need.hint.as_ref().map(|hint| format!(" → {hint}")).unwrap_or_default();
            vec![need.agent.clone().unwrap_or_else(|| "fleet".into()), since, format!("{what}{hint}")]
        };
        self.report.needs.iter().map(row).collect()
    }

    fn holds(&self) -> Vec<Vec<String>> {
        let mut all: Vec<(Wall, Vec<String>)> = Vec::new();
        for agent in &self.report.agents {
            for hold in &agent.holds {
                let account = hold.account.as_ref().map(|name| format!(" (account {name})")).unwrap_or_default();
                let text = format!("{}{account}", hold.reason);
                all.push((hold.from, self.stretch(&agent.name, hold.from, hold.until, text)));
            }
        }
        in_order(all)
    }

    fn answered(&self) -> Vec<Vec<String>> {
        let mut all: Vec<(Wall, Vec<String>)> = Vec::new();
        for agent in &self.report.agents {
            for wait in agent.waits.iter().filter(|w| w.until.is_some()) {
                all.push((wait.from, self.stretch(&agent.name, wait.from, wait.until, wait.asked.clone())));
            }
        }
        in_order(all)
    }

    fn by_rules(&self) -> Vec<Vec<String>> {
        let mut all: Vec<(Wall, Vec<String>)> = Vec::new();
        for agent in &self.report.agents {
            for a in &agent.answers {
                let text = format!("{} → {} ({})", a.asked, a.choice, a.rule);
                all.push((a.at, vec![agent.name.clone(), self.stamp(a.at), text]));
            }
        }
        in_order(all)
    }

    /// Alike ones in one row: of one agent, or of many at the same time.
    fn restarts(&self) -> Vec<Vec<String>> {
        let agents = self.report.agents.iter().map(|a| (a.name.as_str(), &a.restarts));
        let services = self.report.services.iter().map(|s| (s.name.as_str(), &s.restarts));
        let all: Vec<_> = agents.chain(services).collect();
        let mut rows = Vec::new();
        for alike in alike::restarts(&all) {
            let last = self.stamp(alike.last);
            let (when, times) = match (&alike.who[..], alike.times) {
                ([_], 1) | ([_, _, ..], _) => (last, String::new()),
                ([..], n) => (format!("last {last}"), format!("{n} × ")),
            };
            let who = match &alike.who[..] {
                [one] => (*one).to_owned(),
                many => count(many.len(), "agent"),
            };
            rows.push(vec![who, when, format!("{times}{}", alike.reason)]);
        }
        rows
    }

    fn gaps(&self) -> Vec<Vec<String>> {
        let row = |gap: &Gap| self.stretch("fleet", gap.from, gap.until, gap.reason.clone());
        self.report.gaps.iter().map(row).collect()
    }

    fn told(&self, all: &[Told]) -> Vec<Vec<String>> {
        let mut alike: Vec<(&Told, usize, Wall)> = Vec::new();
        for one in all {
            match alike.iter_mut().find(|(t, ..)| t.kind == one.kind && t.agent == one.agent && t.text == one.text) {
                Some((_, n, last)) => (*n, *last) = (*n + 1, one.at),
                None => alike.push((one, 1, one.at)),
            }
        }
        let row = |(told, n, last): (&Told, usize, Wall)| {
            let (when, times) = match n {
                1 => (self.stamp(last), String::new()),
                _ => (format!("last {}", self.stamp(last)), format!("{n} × ")),
            };
            vec![told.agent.clone().unwrap_or_else(|| "fleet".into()), when, format!("{times}{}", told.text)]
        };
        alike.into_iter().map(row).collect()
    }

    /// `name  22:10–23:40  1h 30m  text`
    fn stretch(&self, name: &str, from: Wall, until: Option<Wall>, text: String) -> Vec<String> {
        let end = until.map_or("now".into(), |until| self.stamp(until));
        let length = self.span(from, until.unwrap_or(self.report.until));
        vec![name.to_owned(), format!("{}–{end}", self.stamp(from)), length, text]
    }

    fn span(&self, from: Wall, until: Wall) -> String {
        seconds((until.0 - from.0).max(0) as u64 / 1000)
    }

    /// A moment; with its day where the time alone would be ambiguous.
    fn stamp(&self, at: Wall) -> String {
        const DAY: i64 = 86_400_000;
        match self.report.until.0 - at.0 {
            0..DAY => at.format_local("%H:%M"),
            ..0 => at.format_local("%b %-d %H:%M"),
            past if past < 6 * DAY => at.format_local("%a %H:%M"),
            _ => at.format_local("%b %-d %H:%M"),
        }
    }
}

/// One column of the table: its title and a cell for each agent.
struct Column {
    cells: Vec<String>,
    /// The highest goes first where there is no room; 0 stays.
    spare: u8,
    right: bool,
}

impl Column {
    fn new(title: &str, spare: u8, agents: &[AgentReport], cell: impl Fn(&AgentReport) -> String) -> Column {
        let cells = std::iter::once(title.to_owned()).chain(agents.iter().map(cell)).collect();
        Column { cells, spare, right: false }
    }
    fn right(self) -> Column {
        Column { right: true, ..self }
    }
    fn needs(&self) -> usize {
        self.cells.iter().map(|c| c.chars().count()).max().unwrap_or(0) + 2
    }
}

fn in_order(mut all: Vec<(Wall, Vec<String>)>) -> Vec<Vec<String>> {
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, row)| row).collect()
}

/// The newest, and how many there are beside them.
fn newest(mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let more = rows.len().saturating_sub(MOST);
    if more > 0 {
        rows.drain(..more);
        rows.insert(0, vec!["…".into(), format!("{more} more"), "`agents report --json` lists all".into()]);
    }
    rows
}

fn count(n: usize, word: &str) -> String {
    if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") }
}

fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

/// `45s`, `12m`, `7h`, `7h05m`, `75h`: hours are what a night is counted in.
fn seconds(s: u64) -> String {
    match (s / 3600, s % 3600 / 60) {
        (0, 0) => format!("{s}s"),
        (0, m) => format!("{m}m"),
        (h, 0) => format!("{h}h"),
        (h, m) if h < 24 => format!("{h}h{m:02}m"),
        (h, _) => format!("{h}h"),
    }
}

fn money(usd: f64) -> String {
    format!("${usd:.2}")
}

/// `812`, `14k`, `3.2M`
fn thousands(n: u64) -> String {
    match n {
        0..1_000 => n.to_string(),
        1_000..1_000_000 => format!("{}k", n / 1_000),
        _ => format!("{:.1}M", n as f64 / 1e6),
    }
}
