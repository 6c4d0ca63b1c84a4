//! The binary as its users meet it: flags, files, signals, embedded servers.

mod command_line;
pub mod embedded;
mod files;
mod start;
mod stop;

use std::process::{Command, Output};

/// The binary with these arguments and exactly these variables.
fn appviewd(args: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_appviewd"));
    command.args(args).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).envs(environment.iter().copied());
    command
}

/// Exit code, standard output, standard error.
fn outcome(mut command: Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}
