//! Without a terminal: a line for each change.
use super::{all_over, code, look, shown};
use crate::{
    cli::{
        Context,
        failure::Report,
        jobs::{changes::Changes, news::News},
    },
    model::job::JobId,
    store::jobs::JobStore,
    view::jobs::Look,
    world::clock,
};

pub fn run(ids: &[JobId], store: &mut JobStore, context: &mut Context) -> Report {
    let mut news = News::of(store.dir());
    let mut changes = Changes::default();
    loop {
        let jobs = look(ids, store)?;
        let look = Look { width: context.out.width(), paint: context.out.paint, now: clock::moment() };
        let (lines, due) = changes.of(&shown(&jobs), look);
        for line in lines {
            context.out.line(&line)?;
        }
        context.out.flush()?;
        if all_over(&jobs) {
            return Ok(code(ids, &jobs));
        }
        news.wait(store, due.map(|due| due.since(clock::boot())))?;
    }
}
