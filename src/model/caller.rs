//! What a process hands to those that it starts, beside its environment.

/// The limits of a process, in the kernel's order and by the names that `prlimit` knows.
pub const LIMITS: [&str; 16] = [
    "cpu",
    "fsize",
    "data",
    "stack",
    "core",
    "rss",
    "nproc",
    "nofile",
    "memlock",
    "as",
    "locks",
    "sigpending",
    "msgqueue",
    "nice",
    "rtprio",
    "rttime",
];

/// A limit that is none.
pub const UNLIMITED: u64 = u64::MAX;

/// In the kernel's unit of its kind: bytes, seconds, or a number of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub soft: u64,
    pub hard: u64,
}

impl Limit {
    pub const NONE: Limit = Limit { soft: UNLIMITED, hard: UNLIMITED };
}

/// As many processors as can be told apart, 64 in each number: processor 0 is the lowest bit of the first one.
pub type Processors = [u64; 16];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Rights that a new file does not get.
    pub umask: u32,
    /// -20 to 19.
    pub nice: i32,
    /// Those that it may run on. `None`: nobody knows.
    pub processors: Option<Processors>,
    /// In the order of [`LIMITS`].
    pub limits: [Limit; 16],
}

impl Caller {
    /// One line: `umask=22 niceness=0 cpus=3 stack=8388608:- nofile=1024:4096`. What is unlimited is left out.
    pub fn word(&self) -> String {
        let mut word = format!("umask={:o} niceness={}", self.umask, self.nice);
        if let Some(processors) = &self.processors {
            let used = processors.iter().rposition(|set| *set != 0).map_or(1, |last| last + 1);
            let sets: Vec<String> = processors[..used].iter().map(|set| format!("{set:x}")).collect();
            word.push_str(&format!(" cpus={}", sets.join(".")));
        }
        let number = |limit| if limit == UNLIMITED { "-".to_owned() } else { format!("{limit}") };
        for (name, limit) in LIMITS.iter().zip(&self.limits).filter(|(_, limit)| **limit != Limit::NONE) {
            word.push_str(&format!(" {name}={}:{}", number(limit.soft), number(limit.hard)));
        }
        word
    }

    /// What [`Caller::word`] made; words that a newer program adds are passed over. `None`: it is something else.
    pub fn parse(line: &str) -> Option<Caller> {
        let (mut umask, mut nice) = (None, None);
        let (mut processors, mut limits) = (None, [Limit::NONE; 16]);
        for word in line.split(' ') {
            let (name, value) = word.split_once('=')?;
            match name {
                "umask" => umask = Some(u32::from_str_radix(value, 8).ok().filter(|mask| *mask <= 0o777)?),
                "niceness" => nice = Some(value.parse().ok().filter(|nice| (-20..20).contains(nice))?),
                "cpus" => {
                    let mut sets = Processors::default();
                    for (at, text) in value.split('.').enumerate() {
                        *sets.get_mut(at)? = u64::from_str_radix(text, 16).ok()?;
                    }
                    processors = Some(sets);
                }
                _ => {
                    let Some(at) = LIMITS.iter().position(|limit| *limit == name) else { continue };
                    let (soft, hard) = value.split_once(':')?;
                    let number = |text: &str| if text == "-" { Some(UNLIMITED) } else { text.parse().ok() };
                    limits[at] = Limit { soft: number(soft)?, hard: number(hard)? };
                }
            }
        }
        Some(Caller { umask: umask?, nice: nice?, processors, limits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Caller {
        let mut limits = [Limit::NONE; 16];
        limits[3] = Limit { soft: 8 << 20, hard: UNLIMITED };
        limits[7] = Limit { soft: 0, hard: 4096 };
        Caller { umask: 0o22, nice: -5, processors: Some(std::array::from_fn(|at| [3, 0, 0x80][at.min(2)])), limits }
    }

    #[test]
    fn it_is_a_line_and_comes_back_from_it() {
        let mut caller = some();
        let sets = "cpus=3.0.80.80.80.80.80.80.80.80.80.80.80.80.80.80";
        assert_eq!(caller.word(), format!("umask=22 niceness=-5 {sets} stack=8388608:- nofile=0:4096"));
        assert_eq!(Caller::parse(&caller.word()), Some(caller.clone()));
        caller.processors = Some(Processors::default());
        assert_eq!(Caller::parse(&caller.word()), Some(caller.clone()));
        caller.limits = std::array::from_fn(|at| Limit { soft: at as u64, hard: UNLIMITED - at as u64 });
        caller.processors = None;
        assert_eq!(Caller::parse(&caller.word()), Some(caller));
    }

    #[test]
    fn what_is_new_is_passed_over_and_what_is_wrong_is_nothing() {
        let line = "umask=77 niceness=0 later=x:y as=1:2";
        let caller = Caller::parse(line).expect("read");
        assert_eq!((caller.umask, caller.limits[9]), (0o77, Limit { soft: 1, hard: 2 }));
        for bad in ["", "niceness=0", "umask=22", "umask=22 niceness=20", "umask=8 niceness=0", "umask=1000 niceness=0"]
        {
            assert_eq!(Caller::parse(bad), None, "{bad}");
        }
        for bad in [
            "umask=22 niceness=0 as=1",
            "umask=22 niceness=0 as=1:x",
            "umask=22 niceness=0 cpus=",
            "umask=22  niceness=0",
        ] {
            assert_eq!(Caller::parse(bad), None, "{bad}");
        }
    }
}
