//! The roles of a process, by the names of the command line.

use std::fmt;
use std::str::FromStr;

/// A part of the AppView that a process can take on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Reads the relay into the queue.
    Ingest,
    /// Applies the queue to PostgreSQL.
    Worker,
    /// Answers requests.
    Api,
}

impl Role {
    /// Every role, in the order of their start.
    pub const ALL: [Self; 3] = [Self::Ingest, Self::Worker, Self::Api];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Worker => "worker",
            Self::Api => "api",
        }
    }

    /// Whether it stands on Redis.
    pub fn needs_redis(self) -> bool {
        matches!(self, Self::Ingest | Self::Worker)
    }

    /// Whether it stands on PostgreSQL.
    pub fn needs_postgres(self) -> bool {
        matches!(self, Self::Worker | Self::Api)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that no role has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown role {0:?}; the roles are ingest, worker, api")]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == name.trim()).ok_or_else(|| UnknownRole(name.to_owned()))
    }
}

/// The roles of one process: at least one, each once, in the order of their start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles(Vec<Role>);

impl Roles {
    pub fn iter(&self) -> impl Iterator<Item = Role> + '_ {
        self.0.iter().copied()
    }

    pub fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// Whether this process does everything, so that it may keep servers of its own.
    pub fn are_all(&self) -> bool {
        self.0.len() == Role::ALL.len()
    }

    pub fn names(&self) -> Vec<&'static str> {
        self.iter().map(Role::as_str).collect()
    }
}

impl Default for Roles {
    fn default() -> Self {
        Self(Role::ALL.to_vec())
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(","))
    }
}

/// `ingest,worker,api`, in any order.
impl FromStr for Roles {
    type Err = UnknownRole;

    fn from_str(names: &str) -> Result<Self, UnknownRole> {
        let asked = names.split(',').map(str::parse).collect::<Result<Vec<Role>, _>>()?;
        Ok(Self(Role::ALL.into_iter().filter(|role| asked.contains(role)).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_in_any_order() {
        assert_eq!("api, ingest".parse::<Roles>().unwrap().to_string(), "ingest,api");
        assert_eq!("worker,worker".parse::<Roles>().unwrap().names(), ["worker"]);
        assert!("worker,api,ingest".parse::<Roles>().unwrap().are_all());
    }

    #[test]
    fn an_unknown_role_names_the_valid_ones() {
        for wrong in ["", "ingest,", "Worker", "backfil"] {
            let error = wrong.parse::<Roles>().unwrap_err().to_string();
            for role in Role::ALL {
                assert!(error.contains(role.as_str()), "{error}");
            }
        }
    }
}
