//! Addresses of pictures and videos, which this service serves itself or a CDN in front of it does.

use crate::atproto::Cid;

/// Where media are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Urls {
    images: String,
    videos: String,
}

/// A size of picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    Avatar,
    Banner,
    FeedThumbnail,
    FeedFullsize,
}

impl Preset {
    fn name(self) -> &'static str {
        match self {
            Self::Avatar => "avatar",
            Self::Banner => "banner",
            Self::FeedThumbnail => "feed_thumbnail",
            Self::FeedFullsize => "feed_fullsize",
        }
    }
}

impl Urls {
    /// Pictures under `<public>/img`, videos under `videos`; both without a `/` at the end.
    #[must_use]
    pub fn new(public: &str, videos: &str) -> Self {
        Self { images: format!("{}/img", public.trim_end_matches('/')), videos: videos.trim_end_matches('/').to_owned() }
    }

    #[must_use]
    pub fn image(&self, preset: Preset, did: &str, cid: &Cid) -> String {
        format!("{}/{}/plain/{did}/{cid}@jpeg", self.images, preset.name())
    }

    #[must_use]
    pub fn playlist(&self, did: &str, cid: &Cid) -> String {
        format!("{}/watch/{}/{cid}/playlist.m3u8", self.videos, did.replace(':', "%3A"))
    }

    #[must_use]
    pub fn video_thumbnail(&self, did: &str, cid: &Cid) -> String {
        format!("{}/watch/{}/{cid}/thumbnail.jpg", self.videos, did.replace(':', "%3A"))
    }
}
