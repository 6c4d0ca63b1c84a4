//! What the kernel says of processes: CPU time and memory, from /proc. Never of processes on another machine.

use std::fs;
use std::time::Duration;

/// User and system time of one process, of its children that have ended, and its parent.
#[derive(Debug, Clone, Copy)]
struct Stat {
    parent: u32,
    own: Duration,
    ended: Duration,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    let time = |ticks: u64| Duration::from_micros(ticks.saturating_mul(1_000_000) / rustix::param::clock_ticks_per_second().max(1));
    Some(Stat { parent: fields.get(1)?.parse().ok()?, own: time(ticks(11)? + ticks(12)?), ended: time(ticks(13)? + ticks(14)?) })
}

/// CPU time of one process, without its children.
pub(super) fn alone(pid: u32) -> Option<Duration> {
    stat(pid).map(|stat| stat.own)
}

/// CPU time of a process and of all its children, those that have ended too.
pub(super) fn family(pid: u32) -> Option<Duration> {
    let parent = stat(pid)?;
    let children: Duration = all().filter_map(stat).filter(|child| child.parent == pid).map(|child| child.own + child.ended).sum();
    Some(parent.own + parent.ended + children)
}

/// The parent of a process, where it has this name.
pub(super) fn parent(pid: u32, name: &str) -> Option<u32> {
    stat(pid).map(|stat| stat.parent).filter(|parent| is_named(*parent, name))
}

/// A child of a process that has this name.
pub(super) fn child(pid: u32, name: &str) -> Option<u32> {
    all().find(|child| stat(*child).is_some_and(|stat| stat.parent == pid) && is_named(*child, name))
}

/// Most memory that a process ever had resident, in bytes.
pub(super) fn peak_memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

fn is_named(pid: u32, name: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim_end().starts_with(name))
}

fn all() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc").into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_from_its_children() {
        let me = std::process::id();
        let mut sleeper = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert_eq!((child(me, "sleep"), parent(sleeper.id(), "cargo-no-such")), (Some(sleeper.id()), None));
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_millis(60) {
            std::hint::spin_loop();
        }
        assert!(alone(me).unwrap() >= Duration::from_millis(20));
        // In this order: what is asked for first is less by the time in between.
        let own = alone(me).unwrap();
        assert!(family(me).unwrap() >= own);
        assert!(peak_memory(me).unwrap() > 1 << 20);
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
        assert_eq!(alone(sleeper.id()), None);
    }
}
