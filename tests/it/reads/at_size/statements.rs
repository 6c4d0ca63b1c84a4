//! The statements of the hot reads: which index each goes over, and how many pages it may look at for the dearest page that the test asks for.
//! A bound is half as much again as was measured at a million records (November 2026), and at least 20; `why` says what it is made of.

/// A statement that the requests of the test have the API send.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    pub name: &'static str,
    /// One of its indexes: the one that it was made for.
    pub index: &'static str,
    /// Pages of 8 KiB at most.
    pub buffers: u64,
    pub why: &'static str,
}

const fn sent(name: &'static str, index: &'static str, buffers: u64, why: &'static str) -> Sent {
    Sent { name, index, buffers, why }
}

pub const SENT: &[Sent] = &[
    sent("account::ids", "account_did", 150, "25 names"),
    sent("like::of", "like_pair", 190, "41 posts of a thread: whether its author likes them"),
    sent("read::actor::by_id", "account_pkey", 3_400, "some 150 accounts of a thread, each from account, repo, profile and takedown"),
    sent("read::actor::counts", "actor_stat_pkey", 1_800, "the counts of one account, and of 400 whom a search found"),
    sent("read::actor::kept", "record_other_pk", 20, "what one account has of four collections"),
    sent("read::feed::all", "post_author", 40, "101 posts from the index alone, and 101 reposts with their rows"),
    sent("read::feed::flagged", "post_author", 220, "101 posts and 101 reposts with their rows"),
    sent("read::feed::own_threads", "post_author", 220, "101 posts and 101 reposts with their rows"),
    sent("read::feed::posts", "post_author", 200, "an author's posts without pictures are passed over, up to a page"),
    sent("read::gate::threads", "threadgate_post", 20, "the first posts of a page's threads, none of which has a gate"),
    sent("read::label::of", "label_subject", 20, "everybody and everything on a page, of which nothing is said"),
    sent("read::labeler::known", "labeler_account_key", 20, "one labeler"),
    sent("read::list::followers", "follow_subj", 70, "101 of 200,000 followers, which lie where they were written"),
    sent("read::list::follows", "follow_actor", 200, "101 of 5,000 follows"),
    sent("read::list::known_followers", "follow_pair", 6_100, "each of 5,000 follows is looked up among the celebrity's followers"),
    sent("read::list::known_likers", "follow_pair", 2_500, "the newest likes, each looked up among the follows"),
    sent("read::list::likes", "like_subj", 20, "101 of 100,000 likes, which lie where they were written"),
    sent("read::list::quotes", "post_quote", 20, "as many as there are"),
    sent("read::list::reposts", "repost_subj", 20, "as many as there are"),
    sent("read::notification::newest", "like_notif", 300, "101 of each of six indexes"),
    sent("read::notification::seen", "seen_pkey", 20, "two rows"),
    sent("read::notification::threads", "post_author", 90, "100 posts"),
    sent("read::notification::unread", "notif_recipient", 300, "what is new for somebody who never looked"),
    sent("read::post::at", "post_author", 80, "the posts among 100 notifications"),
    sent("read::post::shown", "post_author", 1_400, "some 150 posts with their records, gates and takedowns"),
    sent("read::reaction::of", "like_pair", 1_200, "likes and reposts of some 150 posts"),
    sent("read::relation::blocked_by", "block_pair", 1_400, "whom each of some 150 accounts blocks, and whether it blocks a list"),
    sent("read::relation::followed", "follow_pair", 60, "5,000 follows, from the index alone"),
    sent("read::relation::follows", "follow_pair", 1_700, "some 300 pairs, told by the index alone"),
    sent(
        "read::relation::known",
        "follow_pair",
        22_000,
        "each of 5,000 follows is looked up among the celebrity's followers: the shorter list",
    ),
    sent("read::relation::muted_threads", "thread_mute_pair", 20, "100 threads, none of which is muted"),
    sent("read::search::first_handles", "account_grams", 110, "one page of the index of letters"),
    sent("read::search::first_names", "record_other_tokens", 400, "one page of the index of words"),
    sent("read::search::followed", "follow_pair", 40, "which of those found are followed"),
    sent("read::search::handles", "account_grams", 200, "a window of ids"),
    sent("read::search::last_account", "account_pkey", 20, "one entry of the index"),
    sent("read::search::names", "record_other_tokens", 140, "a window of ids"),
    sent("read::search::posts", "post_tokens", 400, "a window of time with up to 1,001 hits"),
    sent("read::takedown::of", "takedown_record_pk", 20, "the records of a page, none of which is taken down"),
    sent("read::thread::above", "post_author", 20, "a post and what it answers"),
    sent("read::thread::newest_below", "post_parent", 300, "a prepared thread of 41, or the replies to the post that many like"),
    sent("read::thread::oldest_below", "post_parent", 180, "the same from the other end"),
    sent("read::thread::own", "post_root", 30, "the oldest replies of a thread"),
    sent("read::timeline::posts", "post_author", 130, "the newest of each of 500 accounts, from the index alone"),
    sent("read::timeline::reposts", "repost_author", 300, "the newest of each of 500 accounts, from the index alone"),
    sent("read::viewer::by_did", "account_did", 30, "one row of each of six tables"),
    sent("read::walk::posts", "post_time", 100, "as many of everyone's newest as fill a page"),
    sent("read::walk::reposts", "repost_time", 50, "the same of reposts"),
    sent("stat::under", "post_stat_subj", 2_300, "some 250 posts, with those that they quote"),
    sent("threadgate::of", "threadgate_post", 20, "the threads of a page of notifications"),
];

/// Statements that are not judged here, and why.
pub const NOT_JUDGED: &[(&str, &str)] = &[
    ("change::mark", "once a connection, not for a page"),
    ("change::since", "what was changed since the last look: here nothing is"),
    ("meta::get", "a setting, when the process starts"),
    ("server::started", "once a connection, not for a page"),
    ("read::key::did", "one row by its key, only for commands"),
    ("read::key::texts", "keys that are no TID, which made data has for profiles alone"),
    ("read::list::members", "made data has no lists; tests/it/reads/bounded.rs counts a list of many"),
    ("read::pack::joined", "made data has no starter packs"),
    ("read::process::alive", "a row a process, read whole on purpose"),
    ("read::record::kept", "made data has nothing but profiles that is kept whole, which are read with their accounts"),
    ("read::record::raw", "made data has no edges that columns do not hold"),
    ("read::relation::blocks", "only where an account blocks hundreds, which none does in made data"),
    ("read::relation::list_blocks", "made data has no lists"),
    ("read::relation::muted_lists", "made data has no lists"),
    ("read::relation::mutes", "nobody mutes anybody in made data, and then nobody asks"),
    ("read::search::carriers", "words are weighed where a window is crowded; the words of made data are not"),
    ("read::search::handle_carriers", "the same of letters: made data has fewer accounts than a window"),
    ("read::search::name_carriers", "the same of names"),
    ("read::search::newest_posts", "windows more crowded than those of a million records"),
    ("read::verification::of", "made data trusts nobody to verify"),
];
