//! Defaults < `config.toml` < environment < flags, into one [`Config`], or every mistake at once.
//!
//! Each value that somebody set is tried alone against the defaults: so all mistakes are told in one run, each with its place.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use figment::providers::{Format as _, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::{Config, check, names};

/// The file that is read when none is named, where it is there.
const DEFAULT_FILE: &str = "config.toml";

/// Names nearer than this are offered as what was meant (0 = nothing alike, 1 = equal).
const ALIKE: f64 = 0.8;

/// Where options come from, lowest layer first.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// File that must be there; `None`: `config.toml` of the working directory, where it is there.
    pub file: Option<PathBuf>,
    /// The environment's variables, ours and all others.
    pub environment: Vec<(String, String)>,
    /// `section.key=value` of the command line.
    pub flags: Vec<String>,
}

impl Sources {
    /// This process's environment, with what the command line says.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<String>) -> Self {
        let text = |name: std::ffi::OsString| name.into_string().ok();
        let environment = std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect();
        Self { file, environment, flags }
    }
}

/// Options that hold together.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub config: Config,
    /// What is legal but hardly meant, each with the reason.
    pub warnings: Vec<String>,
    figment: Figment,
}

impl Loaded {
    /// Who set the option `section.key`.
    pub fn source(&self, key: &str) -> &str {
        self.figment.find_metadata(key).map_or("default", |metadata| metadata.name.as_ref())
    }
}

/// Everything that is wrong with the options, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Problems {}

/// One place that sets options.
struct Layer {
    source: String,
    values: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.source.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

/// Reads all layers. The config holds together when this succeeds, but for what depends on the roles.
pub fn load(sources: &Sources) -> Result<Loaded, Problems> {
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    let mut figment = Figment::new().merge(Layer { source: "default".to_owned(), values: defaults().map_err(|e| Problems(vec![e]))? });
    let layers = [
        file_layer(sources.file.as_deref(), &mut problems).into_iter().collect(),
        variables(sources, &mut warnings),
        flags(sources, &mut problems),
    ];
    for layer in layers.into_iter().flatten() {
        for (key, value) in leaves(&layer.values) {
            match accept(&key, &value) {
                Ok(value) => figment = figment.merge(Layer { source: layer.source.clone(), values: nest(&key, value) }),
                Err(reason) => problems.push(format!("{}: {reason}", layer.source)),
            }
        }
    }
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    let config: Config = figment.extract().map_err(|error| Problems(error.into_iter().map(|e| e.to_string()).collect()))?;
    check::errors(&config).map_err(Problems)?;
    warnings.extend(check::warnings(&config));
    Ok(Loaded { config, warnings, figment })
}

fn defaults() -> Result<Dict, String> {
    let value = Value::serialize(Config::default()).map_err(|error| error.to_string())?;
    value.into_dict().ok_or_else(|| "the defaults are no table".to_owned())
}

fn file_layer(named: Option<&Path>, problems: &mut Vec<String>) -> Option<Layer> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    let source = path.display().to_string();
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => {
            problems.push(format!("{source}: cannot be read: {error}"));
            return None;
        }
    };
    match Toml::string(&text).data() {
        Ok(mut profiles) => Some(Layer { source, values: profiles.remove(&Profile::Default).unwrap_or_default() }),
        Err(error) => {
            problems.push(format!("{source}: {error}"));
            None
        }
    }
}

fn variables(sources: &Sources, warnings: &mut Vec<String>) -> Vec<Layer> {
    let settings = names::settings(&sources.environment, warnings);
    settings.into_iter().map(|(name, key, text)| Layer { source: name, values: nest(&key, Value::from(text)) }).collect()
}

fn flags(sources: &Sources, problems: &mut Vec<String>) -> Vec<Layer> {
    let mut layers = Vec::new();
    for flag in &sources.flags {
        match flag.split_once('=') {
            Some((key, text)) => layers.push(Layer { source: format!("--set {key}"), values: nest(key, Value::from(text)) }),
            None => problems.push(format!("--set {flag}: expected section.key=value")),
        }
    }
    layers
}

fn nest(key: &str, value: Value) -> Dict {
    figment::util::nest(key, value).into_dict().unwrap_or_default()
}

/// Dotted names of all values in a table; an empty table is no value.
fn leaves(values: &Dict) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (name, value) in values {
        match value.as_dict() {
            Some(inner) => found.extend(leaves(inner).into_iter().map(|(key, value)| (format!("{name}.{key}"), value))),
            None => found.push((name.clone(), value.clone())),
        }
    }
    found
}

/// The value in the form that the option takes: text from the environment may be text, a number, a truth value or a list with commas.
fn accept(key: &str, value: &Value) -> Result<Value, String> {
    let known = known_keys();
    if !known.iter().any(|k| k == key) {
        return Err(unknown(key, &known));
    }
    let mut forms = vec![value.clone()];
    if let Some(text) = value.as_str() {
        forms.extend(text.parse::<Value>());
        forms.extend([("1", true), ("0", false)].into_iter().filter(|(digit, _)| *digit == text).map(|(_, truth)| Value::from(truth)));
        forms.push(Value::from(text.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>()));
    }
    let mut reason = None;
    for form in forms {
        let alone = Figment::new().merge(Layer { source: String::new(), values: nest(key, form.clone()) });
        match alone.extract::<Config>() {
            Ok(_) => return Ok(form),
            Err(error) => drop(reason.get_or_insert_with(|| error.kind.to_string())),
        }
    }
    Err(format!("{key}: {}", reason.unwrap_or_default()))
}

/// Every option's dotted name.
pub fn known_keys() -> Vec<String> {
    defaults().map_or_else(|_| Vec::new(), |values| leaves(&values).into_iter().map(|(key, _)| key).collect())
}

fn unknown(key: &str, known: &[String]) -> String {
    let likeness = |name: &String| strsim::jaro_winkler(key, name);
    let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).filter(|name| likeness(name) >= ALIKE);
    match nearest {
        Some(name) => format!("unknown option {key}; did you mean {name}?"),
        None => format!("unknown option {key}; `appviewd config show` lists all options"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(environment: &[(&str, &str)], flags: &[&str]) -> Result<Loaded, Problems> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        load(&Sources { file: None, environment, flags: flags.iter().map(ToString::to_string).collect() })
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, text).unwrap();
        file
    }

    #[test]
    fn later_layers_win_and_say_so() {
        let file = file("[http]\nport = 4000\nhost = \"::1\"\n[worker]\npipelines = 3\n");
        let environment = vec![("PORT".to_owned(), "5000".to_owned()), ("APPVIEW_WORKER__PIPELINES".to_owned(), "4".to_owned())];
        let flags = vec!["worker.pipelines=6".to_owned()];
        let loaded = load(&Sources { file: Some(file.path().to_owned()), environment, flags }).unwrap();
        assert_eq!((loaded.config.http.port, loaded.config.http.host.as_str(), loaded.config.worker.pipelines), (5000, "::1", 6));
        assert_eq!(loaded.source("http.port"), "PORT");
        assert_eq!(loaded.source("http.host"), file.path().to_str().unwrap());
        assert_eq!(loaded.source("worker.pipelines"), "--set worker.pipelines");
        assert_eq!(loaded.source("queue.key"), "default");
    }

    #[test]
    fn all_mistakes_are_told_at_once_each_with_its_place() {
        let file = file("[database]\npool_sise = 3\n[nonsense]\nx = 1\n[http]\nport = \"many\"\n");
        let environment = vec![("APPVIEW_WORKER__BATCH_SIZES".to_owned(), "5".to_owned()), ("DB_POOL_SIZE".to_owned(), "abc".to_owned())];
        let problems = load(&Sources { file: Some(file.path().to_owned()), environment, flags: vec!["oops".to_owned()] }).unwrap_err();
        let text = problems.to_string();
        assert_eq!(problems.0.len(), 6, "{text}");
        for part in [
            "unknown option database.pool_sise; did you mean database.pool_size?",
            "unknown option nonsense.x; `appviewd config show`",
            "http.port: invalid type: found string \"many\", expected u16",
            "APPVIEW_WORKER__BATCH_SIZES: unknown option worker.batch_sizes; did you mean worker.batch_size?",
            "DB_POOL_SIZE: database.pool_size: invalid type: found string \"abc\"",
            "--set oops: expected section.key=value",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn a_named_file_must_be_there() {
        let problems = load(&Sources { file: Some("/no/such/file.toml".into()), ..Sources::default() }).unwrap_err();
        assert!(problems.0[0].starts_with("/no/such/file.toml: cannot be read"), "{problems}");
    }

    #[test]
    fn broken_toml_names_the_line() {
        let file = file("[http]\nport = = 3\n");
        let problems = load(&Sources { file: Some(file.path().to_owned()), ..Sources::default() }).unwrap_err();
        assert!(problems.to_string().contains("line 2"), "{problems}");
    }

    #[test]
    fn text_that_looks_like_a_number_stays_text_where_text_is_taken() {
        let loaded = with(&[("CONSUMER_ID", "12345"), ("RELAY_CURSOR", "0")], &[]).unwrap();
        assert_eq!(loaded.config.worker.consumer_id.as_deref(), Some("12345"));
        assert_eq!(loaded.config.relay.cursor, Some(0));
    }

    #[test]
    fn one_and_nought_are_truth_values_where_one_is_taken() {
        let lossy = |text| with(&[("APPVIEW_REDIS__ALLOW_LOSSY", text)], &[]).unwrap().config.redis.allow_lossy;
        assert_eq!(["1", "0", "true", "false"].map(lossy), [true, false, true, false]);
    }

    #[test]
    fn only_a_double_underscore_makes_a_variable_ours() {
        assert!(with(&[("APPVIEW_PORT", "tcp://10.0.0.1:3000"), ("APPVIEW_FAILPOINT", "x")], &[]).is_ok());
        assert!(with(&[("APPVIEW_HTTP__PORTS", "1")], &[]).is_err());
    }
}
