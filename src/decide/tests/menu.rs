//! A program that draws a menu.
use crate::model::{
    dialog::{Dialog, DialogAnswer, How},
    reading::{Evidence, Reading},
    time::Boot,
};
use std::time::Duration;

/// A list that a program draws.
#[derive(Clone, Default)]
pub struct Menu {
    pub name: String,
    pub choices: Vec<String>,
    pub cursor: usize,
    /// What the config chooses.
    pub answer: Option<usize>,
    /// At its limit: the menu has a banner.
    pub limit: bool,
    /// Its choices stand side by side.
    pub across: bool,
    /// Rows that one arrow key moves the cursor.
    pub step: usize,
    /// Keys that have no effect.
    pub deaf: usize,
    /// The next key finds another screen.
    pub refuses: bool,
    /// The row that was confirmed.
    pub chosen: Option<usize>,
    /// It looks different every time it is drawn.
    pub restless: bool,
    /// A key is drawn so much later.
    pub slow: Duration,
    /// What comes after it; without one the program goes on.
    pub next: Option<Box<Menu>>,
    pub moved: Vec<(Boot, isize)>,
    pub drawn: u64,
    pub now: Boot,
}

impl Menu {
    pub fn draw(&mut self, reading: &mut Reading, now: Boot) {
        self.now = now;
        self.drawn += 1;
        let due: Vec<isize> = self.moved.iter().filter(|(at, _)| *at <= now).map(|(_, by)| *by).collect();
        self.moved.retain(|(at, _)| *at > now);
        for by in due {
            self.cursor = (self.cursor as isize + by).rem_euclid(self.choices.len() as isize) as usize;
        }
        let id = self.name.bytes().map(u64::from).sum::<u64>() + 1;
        let evidence = |rule: &str| {
            Some(Evidence { source: "pane".into(), rule: rule.into(), line: 0, text: rule.into(), quoted: false })
        };
        reading.waiting = evidence("asks");
        if self.limit {
            reading.limit = evidence("limit");
        }
        reading.screen = 1000 + self.cursor as u64;
        reading.dialog = Some(Dialog {
            name: Some(self.name.clone()),
            asked: format!("{}?", self.name),
            choices: self.choices.clone(),
            cursor: Some(self.cursor),
            across: self.across,
            row: 5 + self.cursor,
            row_text: self.choices[self.cursor].clone(),
            id,
            shape: id * 100 + self.cursor as u64 + if self.restless { self.drawn * 1000 } else { 0 },
            answer: self.answer.map(|choice| DialogAnswer {
                rule: format!("dialogs.{}", self.name),
                how: How::Choose { choice, key: "Enter".into() },
            }),
        });
    }

    /// The key confirms something.
    pub fn is_answered_by(&mut self, key: &str) -> bool {
        if self.deaf > 0 {
            self.deaf -= 1;
            return false;
        }
        let by = self.step.max(1) as isize;
        let at = self.now.after(self.slow);
        match key {
            "Right" if self.across => self.moved.push((at, by)),
            "Left" if self.across => self.moved.push((at, -by)),
            "Down" => self.moved.push((at, by)),
            "Up" => self.moved.push((at, -by)),
            _ => self.chosen = Some(self.cursor),
        }
        self.chosen.is_some()
    }

    /// As if no key had arrived that it has not drawn yet.
    pub fn forget_keys(&mut self) {
        self.moved.clear();
        self.chosen = None;
    }
}
