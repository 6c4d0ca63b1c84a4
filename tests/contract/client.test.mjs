// The official client against the daemon: it asks every method that is served, holds each answer against its own lexicons, reads lists to
// their ends, and finds what the network's people did. Run by tests/it/contract; by hand see README.md.
import test from 'node:test'
import assert from 'node:assert/strict'
import { newer, queries, word, worded } from './methods.mjs'
import { admin, answered, ask, isKnown, isList, nobody, pages, refused, signIn, whole, world } from './world.mjs'

const { me, star, post } = world
const viewer = await signIn(me)
const didsOf = (items) => items.map(({ did }) => did).sort()

for (const [nsid, { who, params }] of Object.entries(queries)) {
  if (!world.methods.includes(nsid)) continue
  test(`${nsid} fits the client's lexicon`, async () => {
    const agents = { anyone: [nobody, viewer], account: [viewer], admin: [admin] }[who]
    for (const agent of agents) {
      for (const param of params) {
        await (isList(nsid) ? whole(agent, nsid, param) : ask(agent, nsid, param))
      }
    }
    if (who === 'account') await refused(ask(nobody, nsid, params[0]), 401, 'AuthMissing')
    if (who === 'admin') await refused(ask(nobody, nsid, params[0]), 401, 'AuthenticationRequired')
  })
}

test('profiles have the counts and handles of the network', async () => {
  for (let at = 0; at < world.accounts.length; at += 25) {
    const some = world.accounts.slice(at, at + 25)
    const { profiles } = await ask(nobody, 'app.bsky.actor.getProfiles', { actors: some.map(({ did }) => did) })
    const shown = profiles.map((p) => ({
      did: p.did,
      handle: p.handle,
      followers: p.followersCount,
      follows: p.followsCount,
      posts: p.postsCount,
    }))
    assert.deepEqual(shown, some)
  }
})

test('who is hidden is refused', async () => {
  assert.ok(world.hidden.length > 0)
  for (const { did, error } of world.hidden) {
    await refused(ask(nobody, 'app.bsky.actor.getProfile', { actor: did }), 400, error)
  }
})

test('posts have the counts of the network', async () => {
  for (let at = 0; at < world.posts.length; at += 25) {
    const some = world.posts.slice(at, at + 25)
    const { posts } = await ask(nobody, 'app.bsky.feed.getPosts', { uris: some.map(({ uri }) => uri) })
    const shown = posts.map((p, i) => ({
      uri: p.uri,
      cid: p.cid,
      likes: p.likeCount,
      reposts: p.repostCount,
      // What depends on the order between repos is not known beforehand.
      replies: some[i].replies === null ? null : p.replyCount,
      quotes: p.quoteCount,
    }))
    assert.deepEqual(shown, some)
  }
})

test('lists of people are the edges of the network', async () => {
  const { follows, followers, likers, reposters } = world.edges
  assert.deepEqual(didsOf(await pages(nobody, 'app.bsky.graph.getFollows', { actor: star.did }, 100)), follows)
  assert.deepEqual(didsOf(await pages(nobody, 'app.bsky.graph.getFollowers', { actor: star.did }, 100)), followers)
  const likes = await pages(nobody, 'app.bsky.feed.getLikes', { uri: post.uri }, 100)
  assert.deepEqual(didsOf(likes.map(({ actor }) => actor)), likers)
  assert.deepEqual(didsOf(await pages(nobody, 'app.bsky.feed.getRepostedBy', { uri: post.uri }, 100)), reposters)
})

test('a feed is what its author wrote and reposted', async () => {
  const feed = await pages(nobody, 'app.bsky.feed.getAuthorFeed', { actor: star.did }, 100)
  const shown = feed.map(({ post, reason }) => `${post.uri} ${reason?.uri ?? ''}`)
  assert.deepEqual(shown.sort(), world.written)
})

test('who signed in sees what they made of others', async () => {
  const { liked, followed } = world.mine
  const { posts } = await ask(viewer, 'app.bsky.feed.getPosts', { uris: [liked.subject] })
  assert.ok(liked.uris.includes(posts[0].viewer.like), `${posts[0].viewer.like} is none of ${liked.uris}`)
  const profile = await ask(viewer, 'app.bsky.actor.getProfile', { actor: followed.subject })
  assert.ok(followed.uris.includes(profile.viewer.following), `${profile.viewer.following} is none of ${followed.uris}`)
  const unknown = await ask(nobody, 'app.bsky.feed.getPosts', { uris: [liked.subject] })
  assert.equal(unknown.posts[0].viewer?.like, undefined)
})

test('a timeline is of those who are followed', async () => {
  const feed = await pages(viewer, 'app.bsky.feed.getTimeline', {}, 100)
  assert.ok(feed.length > 0)
  for (const { post, reason } of feed) {
    const by = reason?.by?.did ?? post.author.did
    assert.ok(by === me.did || world.mine.follows.includes(by), `${by} is not followed`)
  }
})

test('a label is shown to who takes its labeler', async () => {
  const { uri, val } = world.label
  const { posts, headers } = await ask(nobody, 'app.bsky.feed.getPosts', { uris: [uri] })
  assert.deepEqual(
    posts[0].labels.map(({ src, uri, val }) => ({ src, uri, val })).filter((label) => label.val === val),
    [{ src: world.labeler, uri, val }],
  )
  assert.match(headers['atproto-content-labelers'], new RegExp(world.labeler))
})

test('a feed is put together for who asks', async () => {
  for (const [agent, context] of [
    [nobody, `for ${world.service}`],
    [viewer, `for ${me.did}`],
  ]) {
    const { feed } = await ask(agent, 'app.bsky.feed.getFeed', { feed: world.feed.uri })
    assert.ok(feed.length > 0 && feed.every(({ feedContext }) => feedContext === context), feed[0]?.feedContext)
  }
})

test('a thread leads from a reply to what it answers, and back', async () => {
  const { thread } = await ask(nobody, 'app.bsky.feed.getPostThread', { uri: world.reply, depth: 0, parentHeight: 1 })
  assert.deepEqual([thread.post.uri, thread.parent.post?.uri], [world.reply, world.parent])
  const flat = await ask(nobody, 'app.bsky.unspecced.getPostThreadV2', { anchor: world.reply, below: 0 })
  assert.deepEqual(flat.thread.slice(-2).map(({ uri, depth }) => [uri, depth]), [
    [world.parent, -1],
    [world.reply, 0],
  ])
  const { thread: above } = await ask(nobody, 'app.bsky.feed.getPostThread', { uri: world.parent, depth: 1, parentHeight: 0 })
  assert.ok(above.replies.some(({ post }) => post?.uri === world.reply))
})

test('a post is found by its word, and an account by its name', async () => {
  const found = await pages(nobody, 'app.bsky.feed.searchPosts', { q: word, sort: 'latest' }, 100)
  assert.ok(found.some(({ uri }) => uri === worded.uri), word)
  const { actors } = await ask(nobody, 'app.bsky.actor.searchActorsTypeahead', { q: star.handle, limit: 1 })
  assert.deepEqual(didsOf(actors), [star.did])
})

test('a record is the one that was written', async () => {
  const [, , repo, collection, rkey] = post.uri.split('/')
  const answer = await ask(nobody, 'com.atproto.repo.getRecord', { repo, collection, rkey })
  assert.deepEqual([answer.uri, answer.cid], [post.uri, post.cid])
})

test('app.bsky.graph.muteActor and unmuteActor are seen at once', async () => {
  const actor = star.did
  const muted = async () => (await ask(viewer, 'app.bsky.actor.getProfile', { actor })).viewer.muted
  await refused(ask(nobody, 'app.bsky.graph.muteActor', {}, { actor }), 401, 'AuthMissing')
  assert.equal(await muted(), false)
  await ask(viewer, 'app.bsky.graph.muteActor', {}, { actor })
  assert.equal(await muted(), true)
  await ask(viewer, 'app.bsky.graph.unmuteActor', {}, { actor })
  assert.equal(await muted(), false)
})

test('app.bsky.graph.muteThread and unmuteThread are seen at once', async () => {
  const { root } = world
  const muted = async () => (await ask(viewer, 'app.bsky.feed.getPosts', { uris: [root] })).posts[0].viewer.threadMuted
  await ask(viewer, 'app.bsky.graph.muteThread', {}, { root })
  assert.equal(await muted(), true)
  await ask(viewer, 'app.bsky.graph.unmuteThread', {}, { root })
  assert.equal(await muted(), false)
})

test('app.bsky.graph.muteActorList and unmuteActorList are taken', async () => {
  await ask(viewer, 'app.bsky.graph.muteActorList', {}, { list: world.list })
  await ask(viewer, 'app.bsky.graph.unmuteActorList', {}, { list: world.list })
})

test('app.bsky.notification.updateSeen leaves nothing unread', async () => {
  const unread = async () => (await ask(viewer, 'app.bsky.notification.getUnreadCount')).count
  assert.ok((await unread()) > 0)
  await ask(viewer, 'app.bsky.notification.updateSeen', {}, { seenAt: new Date().toISOString() })
  assert.equal(await unread(), 0)
  const { notifications } = await ask(viewer, 'app.bsky.notification.listNotifications', { limit: 100 })
  assert.ok(notifications.length > 0 && notifications.every(({ isRead }) => isRead))
})

test('com.atproto.admin.updateSubjectStatus takes a post down and puts it back', async () => {
  const { uri, cid } = world.posts.at(-1)
  const subject = { $type: 'com.atproto.repo.strongRef', uri, cid }
  const takedown = async (applied) => {
    await ask(admin, 'com.atproto.admin.updateSubjectStatus', {}, { subject, takedown: { applied } })
    const status = await ask(admin, 'com.atproto.admin.getSubjectStatus', { uri })
    assert.equal(status.takedown.applied, applied)
    return (await ask(nobody, 'app.bsky.feed.getPosts', { uris: [uri] })).posts.length
  }
  assert.deepEqual([await takedown(true), await takedown(false)], [0, 1])
})

test('a token of another method opens nothing', async () => {
  const stolen = await signIn(me, () => 'app.bsky.feed.getTimeline')
  await ask(stolen, 'app.bsky.feed.getTimeline')
  await refused(ask(stolen, 'app.bsky.notification.getUnreadCount'), 401, 'BadJwtLexiconMethod')
})

test('every method that is served was asked', () => {
  assert.ok(world.methods.length > 10)
  const left = world.methods.filter((nsid) => !answered.has(nsid) && !(newer.has(nsid) && !isKnown(nsid)))
  assert.deepEqual(left, [], 'a line in tests/contract/methods.mjs, or a test in client.test.mjs, is missing')
})
