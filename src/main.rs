//! Starts appviewd: what the command line asks for, and the exit code; everything else is in the library.

use std::io::Write as _;
use std::process::ExitCode;

use appviewd::cli::{BenchCommand, Cli, Command, ConfigCommand, DeadLettersCommand, LexiconsCommand};
use appviewd::config::Problems;
use appviewd::daemon::{self, bench, commands};
use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Wrong usage or configuration; clap ends with the same.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let (options, command) = Cli::parse().split();
    let settings = options.set.clone();
    let sources = options.sources();
    let outcome = match command {
        Command::Run(run) => daemon::run(&sources, &run.roles),
        Command::Migrate => commands::migrate(&sources),
        Command::Config(ConfigCommand::Check) => commands::config_check(&sources),
        Command::Config(ConfigCommand::Show) => commands::config_show(&sources),
        Command::Status => commands::status(&sources),
        Command::Health => commands::health(&sources),
        Command::DeadLetters(DeadLettersCommand::List(which)) => commands::list_dead_letters(&sources, which),
        Command::DeadLetters(DeadLettersCommand::Replay(which)) => commands::replay_dead_letters(&sources, which),
        Command::Reindex { collection } => commands::reindex(&sources, &collection),
        Command::Lexicons(LexiconsCommand::Compile { folder }) => commands::compile_lexicons(&folder),
        Command::Sandbox(flags) => commands::sandbox(&sources, flags),
        Command::Bench(BenchCommand::Frames(flags)) => bench::frames(&sources, &flags),
        Command::Bench(BenchCommand::Ingest(flags)) => bench::ingest(&sources, settings, flags),
        Command::Bench(BenchCommand::Api(flags)) => bench::api(&sources, settings, flags),
    };
    let Err(cause) = outcome else { return ExitCode::SUCCESS };
    // Nobody is left to tell that standard error is closed.
    let _ = writeln!(std::io::stderr(), "appviewd: {cause:#}");
    if cause.is::<Problems>() { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
}
