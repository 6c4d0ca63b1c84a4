//! Who was found to call, and what that lets them see.

use crate::atproto::Did;

/// The caller of a method. Without more proof it is nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::api) struct Caller {
    viewer: Option<Did>,
    standing: Standing,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Standing {
    #[default]
    None,
    ModService,
    Admin,
}

impl Caller {
    /// Nobody in particular.
    pub fn nobody() -> Self {
        Self::default()
    }

    /// An account.
    pub fn account(did: Did) -> Self {
        Self { viewer: Some(did), standing: Standing::None }
    }

    /// The moderation service, looking as an account does.
    pub fn mod_service_as_viewer(did: Did) -> Self {
        Self { viewer: Some(did), standing: Standing::ModService }
    }

    /// The moderation service, acting as itself.
    pub fn mod_service() -> Self {
        Self { viewer: None, standing: Standing::ModService }
    }

    pub fn admin() -> Self {
        Self { viewer: None, standing: Standing::Admin }
    }

    /// The account whose view is shown.
    pub fn viewer(&self) -> Option<&Did> {
        self.viewer.as_ref()
    }

    /// Whether what was taken down is shown.
    pub fn sees_takedowns(&self) -> bool {
        self.standing != Standing::None
    }

    /// Whether what is hidden only because two others block each other is shown.
    pub fn sees_third_party_blocks(&self) -> bool {
        self.standing != Standing::None
    }

    /// Whether blocks between the viewer and others hide nothing.
    pub fn skips_viewer_blocks(&self) -> bool {
        self.standing == Standing::ModService && self.viewer.is_some()
    }

    /// Whether the caller may take down and restore.
    pub fn can_take_down(&self) -> bool {
        match self.standing {
            Standing::Admin => true,
            Standing::ModService => self.viewer.is_none(),
            Standing::None => false,
        }
    }
}
