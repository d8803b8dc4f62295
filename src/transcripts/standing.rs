//! How a conversation stands after its last row: when the model worked last, and the error that ended its turn.
use crate::model::{
    own::Failed,
    time::Wall,
    transcript::{End, Row, What},
};

#[derive(Clone, Debug, Default)]
pub struct Standing {
    pub asked: Option<Wall>,
    pub worked: Option<Wall>,
    pub failed: Option<Failed>,
}

impl Standing {
    pub fn take(&mut self, row: &Row) {
        match &row.what {
            What::Answered { .. } | What::Called { .. } | What::Returned { .. } => {
                self.worked = self.worked.max(row.at);
                self.failed = None;
            }
            What::Used(_) => self.worked = self.worked.max(row.at),
            // Without a time nobody can tell whether it is of this start.
            What::Failed(error) => self.failed = row.at.map(|at| Failed { at, error: error.clone() }),
            What::Asked { .. } => (self.asked, self.failed) = (self.asked.max(row.at), None),
            What::Ended(End::Done | End::Interrupted) => self.failed = None,
            What::Ended(End::Failed) | What::Queued { .. } | What::Model { .. } | What::Note { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        seen::ErrorClass,
        transcript::{Cause, TurnError},
    };

    fn after(rows: &[(i64, What)]) -> Standing {
        let mut standing = Standing::default();
        rows.iter().for_each(|(at, what)| standing.take(&Row { at: Some(Wall(*at)), what: what.clone() }));
        standing
    }

    fn failed() -> What {
        let class = Cause::Error(ErrorClass::Overload);
        What::Failed(TurnError { class, text: "529".into(), reset: None })
    }

    #[test]
    fn an_error_stands_until_something_is_said() {
        let asked = || What::Asked { text: "go".into() };
        let answered = || What::Answered { text: "well".into() };
        let standing = after(&[(1, asked()), (2, answered()), (3, failed()), (4, What::Ended(End::Failed))]);
        assert_eq!(standing.failed.as_ref().map(|f| f.at), Some(Wall(3)));
        assert_eq!(standing.worked, Some(Wall(2)), "an error is no work");
        assert_eq!(after(&[(3, failed()), (5, asked())]).failed, None);
        assert_eq!(after(&[(3, failed()), (5, answered())]).failed, None, "its own retry");
        assert!(after(&[(3, failed()), (5, What::Queued { text: "x".into() })]).failed.is_some());
    }

    #[test]
    fn what_we_typed_is_no_work() {
        let standing = after(&[(1, What::Asked { text: "go".into() })]);
        assert_eq!((standing.worked, standing.asked), (None, Some(Wall(1))));
        let rows = [
            (9, What::Answered { text: "a".into() }),
            (5, What::Called { id: "1".into(), tool: "x".into(), argument: String::new() }),
        ];
        assert_eq!(after(&rows).worked, Some(Wall(9)), "times go back and forth within a file");
    }
}
