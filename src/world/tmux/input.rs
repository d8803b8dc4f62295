//! Text and keys into a pane, each guarded in the same command: a pane in copy mode would swallow keys without a
//! word, and a paste into a dead pane ends the whole server on tmux before 3.4.
use super::{client::Client, error::TmuxError, quote, run};

/// tmux refuses single commands of 16 KiB; quoting can make four bytes of one.
const CHUNK: usize = 4000;

impl Client {
    /// Types one line of text, without Enter, all of it or nothing: it is one guarded list of commands, which tmux runs
    /// without a pause. Control characters are refused: use [`Client::paste`].
    pub fn send_text(&mut self, pane_id: &str, text: &str) -> Result<(), TmuxError> {
        if text.chars().any(char::is_control) {
            return Err(TmuxError::Refused("text with line breaks or control characters cannot be typed".into()));
        }
        let pane = self.pane(pane_id)?;
        let keys = |chunk: &str| format!("send-keys -l -t {pane} -- {}", quote::word(chunk));
        let all: Vec<String> = quote::chunks(text, CHUNK).into_iter().map(keys).collect();
        let line = self.guarded(&pane, &all.join(" ; "));
        self.type_line(line, pane_id, "type")
    }

    /// Presses one key: [`quote::is_key`].
    pub fn press(&mut self, pane_id: &str, key: &str) -> Result<(), TmuxError> {
        if !quote::is_key(key) {
            return Err(TmuxError::Refused(format!(
                "`{}` is not the name of a key\nhint: for example `Enter`, `C-m`, `Escape`",
                crate::model::name::printable_cut(key, 40)
            )));
        }
        let pane = self.pane(pane_id)?;
        let line = self.guarded(&pane, &format!("send-keys -t {pane} -- {}", quote::word(key)));
        self.type_line(line, pane_id, "press")
    }

    /// Presses one key if row `row` of the screen, from 0, still reads as `text`: tmux looks and sends in one step. The
    /// program may still be about to draw something else; nobody can know that from outside.
    pub fn press_at(&mut self, pane_id: &str, key: &str, row: usize, text: &str) -> Result<(), TmuxError> {
        if !quote::is_key(key) {
            return Err(TmuxError::Refused("no such key".into()));
        }
        let pane = self.pane(pane_id)?;
        let send = format!("send-keys -t {pane} -- {}", quote::word(key));
        let changed = format!("display-message -p -t {pane} '{}changed'", self.nonce);
        let same = format!("#{{==:#{{C/r:{}}},{}}}", quote::row_pattern(text), row + 1);
        self.cursor = None;
        let line = self.guarded(&pane, &format!("if-shell -F -t {pane} '{same}' {{ {send} }} {{ {changed} }}"));
        self.type_line(line, pane_id, "press")
    }

    /// Takes back the last `count` characters before the cursor.
    pub fn erase(&mut self, pane_id: &str, count: usize) -> Result<(), TmuxError> {
        let pane = self.pane(pane_id)?;
        let line = self.guarded(&pane, &format!("send-keys -N {} -t {pane} -- BSpace", count.max(1)));
        self.type_line(line, pane_id, "erase")
    }

    /// Pastes [`quote::sanitize`]d text of any length in one piece, as a bracketed paste where the program asked for
    /// that; else line breaks reach it as they are.
    pub fn paste(&mut self, pane_id: &str, text: &str) -> Result<(), TmuxError> {
        let pane = self.pane(pane_id)?;
        let text = quote::sanitize(text);
        if text.is_empty() {
            return Ok(());
        }
        self.pastes += 1;
        let buffer = format!("agents-{}-{}", std::process::id(), self.pastes);
        let mut command = self.server.command(false);
        command.args(["load-buffer", "-b", &buffer, "-"]);
        let out = run::run(command, text.as_bytes(), std::time::Duration::from_secs(5), "load text")?;
        if !out.status.success() {
            return Err(self.error(&String::from_utf8_lossy(&out.stderr), pane_id));
        }
        let line = self.guarded(&pane, &format!("paste-buffer -p -r -d -b {buffer} -t {pane}"));
        let pasted = self.type_line(line, pane_id, "paste");
        if pasted.is_err() {
            // Not pasted, so not deleted either; if even this fails the buffer is only clutter.
            let _ = self.simple(&format!("delete-buffer -b {buffer}"), &buffer, "tidy up");
        }
        pasted
    }

    /// Deletes paste buffers that a process of ours left when it was ended between loading and pasting.
    pub(super) fn sweep_buffers(&mut self) -> Result<(), TmuxError> {
        let answers = self.ask(&["list-buffers -F '#{buffer_name}'".into()], "list buffers")?;
        let names: Vec<String> =
            answers.iter().flat_map(|a| a.blocks.iter()).flat_map(|text| text.lines()).map(str::to_owned).collect();
        for name in names {
            let owner = name.strip_prefix("agents-").and_then(|rest| rest.split_once('-')).and_then(|(pid, n)| {
                n.parse::<u64>().ok()?;
                pid.parse::<u32>().ok()
            });
            if owner.is_some_and(|pid| crate::world::process::ProcId::of(pid).is_none()) {
                self.simple(&format!("delete-buffer -b {name}"), &name, "tidy up")?;
            }
        }
        Ok(())
    }

    /// Leaves copy mode, if the pane is in one.
    pub fn leave_mode(&mut self, pane_id: &str) -> Result<(), TmuxError> {
        let pane = self.pane(pane_id)?;
        self.simple(
            &format!("if-shell -F -t {pane} '#{{pane_in_mode}}' {{ copy-mode -q -t {pane} }}"),
            pane_id,
            "leave copy mode",
        )
    }

    /// The next text or key is sent only while the pane's cursor stands at this column and row.
    pub fn while_at(&mut self, cursor: Option<(u16, u16)>) -> &mut Client {
        self.cursor = cursor;
        self
    }

    /// `command`, unless the pane is dead, in a mode, or shut for input, or its cursor is not where it is to be; then a
    /// word that says so. A target that is gone has no id, which fails the condition as well.
    fn guarded(&mut self, pane: &str, command: &str) -> String {
        let flags = "#{pane_dead}#{?pane_in_mode,1,0}#{pane_input_off}";
        let (at, wanted) = match self.cursor.take() {
            Some((x, y)) => (" #{cursor_x} #{cursor_y}", format!("000 {x} {y}")),
            None => ("", "000".to_owned()),
        };
        format!(
            "if-shell -F -t {pane} '#{{&&:#{{==:#{{pane_id}},{pane}}},#{{==:{flags}{at},{wanted}}}}}' \
             {{ {command} }} {{ display-message -p -t {pane} '{}blocked {flags}' }}",
            self.nonce
        )
    }

    fn type_line(&mut self, line: String, pane_id: &str, doing: &str) -> Result<(), TmuxError> {
        let blocked = format!("{}blocked ", self.nonce);
        let changed = format!("{}changed", self.nonce);
        for answer in self.ask(&[line], doing)? {
            if let Some(words) = answer.error {
                return Err(self.error(&words, pane_id));
            }
            if answer.blocks.iter().any(|text| text.starts_with(&changed)) {
                return Err(TmuxError::Refused(format!("the screen of pane {pane_id} has changed")));
            }
            if let Some(flags) = answer.blocks.iter().find_map(|text| text.strip_prefix(&blocked)) {
                return Err(match flags.trim_end() {
                    flags if flags.starts_with('1') => TmuxError::Refused(format!("pane {pane_id} is dead")),
                    "010" | "011" => TmuxError::Refused(format!("pane {pane_id} is in copy mode")),
                    "001" => TmuxError::Refused(format!("pane {pane_id} is shut for input")),
                    "000" => TmuxError::Refused(format!("the cursor of pane {pane_id} has moved")),
                    _ => TmuxError::Gone(pane_id.to_owned()),
                });
            }
        }
        Ok(())
    }
}
