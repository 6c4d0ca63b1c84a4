//! The command line: what can be asked of appviewd, and nothing of how it is done.

#![allow(clippy::doc_markdown, reason = "doc comments of this file are the text of --help")]

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand};

use crate::config::Sources;
use crate::daemon::Roles;
use crate::sandbox::relay::{Planned, Rate};

/// A whole AT Protocol AppView as one daemon: relay -> Redis stream -> PostgreSQL, exactly once, and an API that reads it.
///
/// Without a command it runs all roles. With no REDIS_URL and no DATABASE_URL it keeps both servers itself, under data_dir.
///
/// Options come from defaults < config.toml < environment < flags; `appviewd config show` prints what is in effect. Exit codes:
/// 0 after a requested stop, 2 for wrong usage or configuration, 1 otherwise.
#[derive(Debug, Parser)]
#[command(name = "appviewd", version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    run: Run,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Where options come from.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// File of options, which must be there [default: config.toml of the working directory, where it is there]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Sets one option, above file and environment; may be repeated
    #[arg(long, value_name = "SECTION.KEY=VALUE", global = true)]
    pub set: Vec<String>,
}

impl Options {
    /// With this process's environment.
    pub fn sources(self) -> Sources {
        Sources::of_process(self.config, self.set)
    }
}

#[derive(Debug, Clone, Args)]
pub struct Run {
    /// Parts of the AppView that this process takes on. A process without all of them needs REDIS_URL (ingest, worker) and
    /// DATABASE_URL (worker, api)
    #[arg(long, value_name = "ROLE,...", default_value_t = Roles::default())]
    pub roles: Roles,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the roles until SIGTERM or SIGINT (this is the default)
    Run(Run),
    /// Brings the database's schema up to this binary
    Migrate,
    /// Tries or shows the options
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Prints /status of the daemon that runs with these options
    Status,
    /// Exit code 0 where the daemon that runs with these options is ready (for container health checks)
    Health,
    /// Shows or replays records that could not be indexed
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
    /// Indexes the kept records of a collection again, after an update that has learnt to: the network is not asked
    Reindex {
        /// Which collection
        #[arg(long, value_name = "NSID")]
        collection: String,
    },
    /// Compiles a folder of lexicon files to the schemas that are embedded (src/lexicon/schemas.json)
    #[command(subcommand, hide = true)]
    Lexicons(LexiconsCommand),
    /// Runs a small atproto network of its own, whose relay a daemon can read: RELAY_URL=ws://127.0.0.1:2470
    Sandbox(Sandbox),
    /// Measures this machine and this binary
    #[command(subcommand)]
    Bench(BenchCommand),
}

#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Records frames of real size for `bench ingest`, over up to millions of accounts; `sandbox --replay` serves them too
    Frames(BenchFrames),
    /// Relay -> Redis -> PostgreSQL, with a daemon and servers of its own: events a second, CPU and bytes an event, what limits it
    Ingest(BenchIngest),
    /// Requests -> answers, with a daemon, a PostgreSQL and a network of its own: requests a second, latency, CPU, statements and pages a request
    Api(BenchApi),
}

#[allow(clippy::struct_excessive_bools, reason = "flags")]
/// Nothing that runs here already is touched; without --data what is made is removed at the end.
#[derive(Debug, Clone, Args)]
pub struct BenchApi {
    /// Folder of the data: made where there is none, used again where there is [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Records of the network
    #[arg(long, default_value_t = 1_000_000)]
    pub records: u32,
    /// Only makes the data
    #[arg(long, requires = "data")]
    pub only_data: bool,
    /// Length of each loop
    #[arg(long, default_value_t = 10)]
    pub seconds: u32,
    /// Only methods whose names begin with these, as "profile,timeline"
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Connections of closed loops, each of which asks again as soon as it is answered
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_values_t = [16, 64])]
    pub connections: Vec<u32>,
    /// Measures while a worker applies frames as fast as it can, on a copy of the data
    #[arg(long)]
    pub while_writing: bool,
    /// Those frames, recorded before [default: made for the occasion]
    #[arg(long, value_name = "FILE", requires = "while_writing")]
    pub frames: Option<PathBuf>,
    /// How many frames are made
    #[arg(long, default_value_t = 400_000)]
    pub events: u64,
    /// Tells what each statement costs, by pg_stat_statements, which takes some percent of the CPU
    #[arg(long)]
    pub statements: bool,
    /// Leaves out the open loops, in which requests come at given rates
    #[arg(long)]
    pub no_rates: bool,
    /// What clients say that they can read: gzip, zstd [default: nothing, so that answers are not coded]
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<String>,
    /// Writes the figures as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Nothing that runs here already is touched; what is made is removed at the end.
#[derive(Debug, Clone, Args)]
pub struct BenchIngest {
    /// Frames that were recorded before [default: made for the occasion]
    #[arg(long, value_name = "FILE")]
    pub frames: Option<PathBuf>,
    #[command(flatten)]
    pub load: Load,
    /// Longest time that events are applied for
    #[arg(long, default_value_t = 60)]
    pub seconds: u64,
    /// Folder for everything, which is kept [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Writes the figures as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Redis to use in place of one of its own: an empty one
    #[arg(long, value_name = "URL")]
    pub redis: Option<String>,
    /// PostgreSQL to use in place of one of its own: an empty database, which is filled and not removed
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
}

/// A seeded network of many accounts: the same flags give the same frames.
#[derive(Debug, Clone, Args)]
pub struct BenchFrames {
    /// File that is written (.zst: compressed)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub load: Load,
}

#[derive(Debug, Clone, Copy, Args)]
pub struct Load {
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Accounts that may appear
    #[arg(long, default_value_t = 1_000_000)]
    pub accounts: u32,
    /// Frames in all
    #[arg(long, default_value_t = 300_000)]
    pub events: u64,
    /// Sign every commit, in place of 64 bytes of chance
    #[arg(long)]
    pub signed: bool,
}

/// A seeded network: the same flags give the same frames, but for the times of a network that lives now.
#[derive(Debug, Clone, Args)]
#[command(group(ArgGroup::new("end").args(["events", "replay"]).multiple(true)))]
pub struct Sandbox {
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Accounts of the network
    #[arg(long, default_value = "200", value_parser = at_least_one)]
    pub accounts: usize,
    /// Messages in all [default: without end]
    #[arg(long)]
    pub events: Option<u64>,
    /// Messages a second; 0 = as fast as they are made, until half the window waits to be read
    #[arg(long, default_value_t = 50)]
    pub rate: u32,
    /// Where the relay listens
    #[arg(long, default_value = "127.0.0.1:2470")]
    pub listen: SocketAddr,
    /// Where the directory of DIDs and the hosts of handles are served (PLC_URL, and APPVIEW_NET__CONNECT_TO=sandbox.test=http://...)
    #[arg(long, value_name = "ADDRESS")]
    pub directory: Option<SocketAddr>,
    /// Where the AppView answers that reads this network, as http://127.0.0.1:3000: the network's feed generator asks it for its document
    /// (a did:web in APPVIEW_DID) and believes its tokens
    #[arg(long, value_name = "URL", requires = "directory")]
    pub appview: Option<String>,
    /// Where a labeler of the network is served (DEFAULT_LABELERS=did:plc:sandboxlabeleraaaaaaaaaa)
    #[arg(long, value_name = "ADDRESS", requires = "directory")]
    pub labeler: Option<SocketAddr>,
    /// Serves the frames of this recording in place of a network
    #[arg(long, value_name = "FILE", conflicts_with = "accounts")]
    pub replay: Option<PathBuf>,
    /// Writes every frame that is served to this file (.zst: compressed)
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Writes what an index must hold after the last message to this file, as sorted lines; needs an end: --events or --replay
    ///
    /// One line a repo, record, edge, thread, verdict, gate, notification, waiting reply, join, count and dead letter. After an empty line
    /// follow the lines that begin with "loose": each names what depends on the order in which an index came to the messages of different
    /// repos, and may be otherwise. Of a recording it cannot know which records their lexicons do not allow.
    #[arg(long, value_name = "FILE", requires = "end")]
    pub expect: Option<PathBuf>,
    /// Only records --events messages, as fast as it can, and ends
    #[arg(long, requires_all = ["record", "events"], conflicts_with_all = ["fault", "fault_rate"])]
    pub no_serve: bool,
    /// Newest frames that are replayed to those who come late
    #[arg(long, default_value = "100000", value_parser = at_least_one)]
    pub window: usize,
    /// Misbehaves once, when the frame of that number is to be sent; may be repeated
    ///
    /// Names: drop, stall, repeat (10 frames), rewind (50 frames), renumber, forget (the window moves on by 50 frames), future-cursor,
    /// consumer-too-slow, outdated-cursor, unknown-type; and what is sent in place of a commit: bad-signature, missing-block,
    /// altered-block, oversize, broken-frame, broken-cbor, sync-same, sync-other, too-big, account. GET /faults of the relay's port tells
    /// how often each happened (JSON).
    #[arg(long, value_name = "NAME@SEQ")]
    pub fault: Vec<Planned>,
    /// Misbehaves at so many of 1,000 frames, by a chance that --seed begins; may be repeated
    #[arg(long, value_name = "NAME=PER_MILLE")]
    pub fault_rate: Vec<Rate>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "expected a number from 1 on".to_owned())
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Tries the options: prints every mistake and every warning
    Check,
    /// Prints the options in effect and who set each; passwords are hidden
    Show,
}

#[derive(Debug, Subcommand)]
pub enum LexiconsCommand {
    /// Prints what the lexicons of a folder compile to
    Compile { folder: PathBuf },
}

#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// Prints one line a letter: number, what it is of, action, rev, reason
    List(Letters),
    /// Indexes them again, each only while no later operation on its path has replaced it
    Replay(Letters),
}

/// Which letters; all of them without a flag.
#[derive(Debug, Clone, Args)]
pub struct Letters {
    /// Of this repo
    #[arg(long)]
    pub did: Option<String>,
    /// Of this collection
    #[arg(long, value_name = "NSID")]
    pub collection: Option<String>,
    /// Whose reason holds this text
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

impl Cli {
    /// What is asked, with the options.
    pub fn split(self) -> (Options, Command) {
        let run = self.run;
        (self.options, self.command.unwrap_or(Command::Run(run)))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_sandbox_lists_its_faults_and_refuses_what_makes_no_sense() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' ')).map(|_| ()).map_err(|e| e.to_string());
        let help = parse("appviewd sandbox --help").unwrap_err();
        for fault in crate::sandbox::relay::Fault::named() {
            assert!(help.contains(fault.name()), "{} is not in --help", fault.name());
        }
        assert!(parse("appviewd sandbox --fault drop@7 --fault-rate stall=2 --fault-rate drop=1").is_ok());
        assert!(parse("appviewd sandbox --no-serve --record x --events 9").is_ok());
        for (line, says) in [
            ("--no-serve --record x", "--events"),
            ("--no-serve --events 9", "--record"),
            ("--accounts 0", "from 1 on"),
            ("--window 0", "from 1 on"),
            ("--fault dorp@7", "there are drop"),
            ("--fault-rate drop=9999", "from 0 to 1000"),
            ("--replay x --accounts 3", "--accounts"),
        ] {
            let error = parse(&format!("appviewd sandbox {line}")).unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        }
    }

    #[test]
    fn no_command_runs_and_options_stand_anywhere() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' ')).unwrap().split();
        let (options, command) = parse("appviewd --roles=worker --config x.toml");
        assert!(matches!(command, Command::Run(run) if run.roles.names() == ["worker"]));
        assert_eq!(options.config, Some("x.toml".into()));
        let (options, command) = parse("appviewd run --roles api,ingest --set http.port=1 --set a.b=2");
        assert!(matches!(command, Command::Run(run) if run.roles.names() == ["ingest", "api"]));
        assert_eq!(options.set, ["http.port=1", "a.b=2"]);
    }
}
