// One line a query: with what it is asked, signed out ("anyone") and in ("account", "anyone"), or by an admin. A method that is served and
// asked nowhere fails the test of that name.
import { ask, nobody, world } from './world.mjs'

const { me, star, post } = world
const anyone = (...params) => ({ who: 'anyone', params })
const account = (...params) => ({ who: 'account', params })
const admin = (...params) => ({ who: 'admin', params })

// A word and a post that has it: one of a language that puts spaces between words.
const { posts } = await ask(nobody, 'app.bsky.feed.getPosts', { uris: world.posts.slice(0, 25).map(({ uri }) => uri) })
const wordOf = ({ record }) => record.text.match(/(?<=^| )[a-z]{4,}(?= |$)/)?.[0]
export const worded = posts.find(wordOf)
export const word = wordOf(worded)

export const queries = {
  'app.bsky.actor.getProfile': anyone({ actor: me.did }, { actor: star.handle }),
  'app.bsky.actor.getProfiles': anyone({ actors: world.accounts.slice(0, 25).map(({ did }) => did) }),
  'app.bsky.actor.searchActors': anyone({ q: 'person' }),
  'app.bsky.actor.searchActorsTypeahead': anyone({ q: star.handle.slice(0, 4) }),
  'app.bsky.feed.getAuthorFeed': anyone(
    { actor: star.did },
    ...['posts_with_replies', 'posts_no_replies', 'posts_with_media', 'posts_and_author_threads', 'posts_with_video'].map((filter) => ({
      actor: star.did,
      filter,
      includePins: true,
    })),
  ),
  'app.bsky.feed.getFeed': anyone({ feed: world.feed.uri }),
  'app.bsky.feed.getFeedGenerator': anyone({ feed: world.feed.uri }),
  'app.bsky.feed.getFeedGenerators': anyone({ feeds: [world.feed.uri] }),
  'app.bsky.feed.getLikes': anyone({ uri: post.uri }),
  'app.bsky.feed.getPostThread': anyone({ uri: post.uri }, { uri: world.root, depth: 10, parentHeight: 0 }, { uri: world.reply, depth: 0 }),
  'app.bsky.feed.getPosts': anyone({ uris: world.posts.slice(0, 25).map(({ uri }) => uri) }),
  'app.bsky.feed.getQuotes': anyone({ uri: post.uri }),
  'app.bsky.feed.getRepostedBy': anyone({ uri: post.uri }),
  'app.bsky.feed.getTimeline': account({}),
  'app.bsky.feed.searchPosts': anyone({ q: word, sort: 'latest' }, { q: word, sort: 'top', author: worded.author.did }),
  'app.bsky.graph.getFollowers': anyone({ actor: star.did }),
  'app.bsky.graph.getFollows': anyone({ actor: star.did }),
  'app.bsky.graph.getKnownFollowers': account({ actor: star.did }),
  'app.bsky.notification.getUnreadCount': account({}),
  'app.bsky.notification.listNotifications': account({}, { reasons: ['like', 'follow'] }),
  'app.bsky.unspecced.getPostThreadOtherV2': anyone({ anchor: world.root }),
  'app.bsky.unspecced.getPostThreadV2': anyone(
    { anchor: world.root, below: 20, branchingFactor: 100 },
    { anchor: world.reply, above: true, sort: 'newest' },
  ),
  'com.atproto.admin.getSubjectStatus': admin({ did: me.did }),
  'com.atproto.identity.resolveHandle': anyone({ handle: star.handle }),
  'com.atproto.repo.getRecord': anyone({ repo: post.uri.split('/')[2], collection: 'app.bsky.feed.post', rkey: post.uri.split('/')[4] }),
}

// Served, but newer than the pinned client: nothing is asked of them here.
export const newer = new Set()
