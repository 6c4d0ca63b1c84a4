//! `chat.bsky`: of chats the declarations only.

pub mod declaration;
