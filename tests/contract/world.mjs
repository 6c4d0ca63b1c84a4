// What is asked of whom: the agents of the official client, the methods that they were seen to call, and lists read by pages.
import { readFileSync } from 'node:fs'
import assert from 'node:assert/strict'
import { Agent, AtpAgent, XRPCError } from '@atproto/api'

// What tests/it/contract/world.rs says of the daemon and of the network that it holds.
export const world = JSON.parse(readFileSync(process.env.APPVIEW_CONTRACT, 'utf8'))

Agent.configure({ appLabelers: [world.labeler] })

// Methods that were answered with what the client accepts.
export const answered = new Set()

// The host of the accounts, who gives tokens for one method each; they are good for a minute.
const tokens = new Map()
async function tokenOf(host, nsid) {
  const key = `${host.assertDid} ${nsid}`
  if (!tokens.has(key)) {
    const { data } = await host.com.atproto.server.getServiceAuth(audience(nsid))
    tokens.set(key, { token: data.token, at: Date.now() })
  }
  const { token, at } = tokens.get(key)
  if (Date.now() - at < 30_000) return token
  tokens.delete(key)
  return tokenOf(host, nsid)
}

// A feed's token goes through to its service, and is made for that.
const audience = (nsid) =>
  nsid === 'app.bsky.feed.getFeed'
    ? { aud: world.feed.service, lxm: 'app.bsky.feed.getFeedSkeleton' }
    : { aud: `${world.service}#bsky_appview`, lxm: nsid }

const nsidOf = (path) => new URL(path, world.appview).pathname.replace('/xrpc/', '')

// An agent that puts this header before every request.
function agentWith(did, header) {
  const fetchHandler = async (path, init) => {
    const headers = new Headers(init.headers)
    headers.set('authorization', await header(nsidOf(path)))
    return fetch(new URL(path, world.appview), { ...init, headers })
  }
  return new Agent({ did, fetchHandler })
}

export const nobody = new AtpAgent({ service: world.appview })

export const admin = agentWith(undefined, async () => `Basic ${Buffer.from(`admin:${world.password}`).toString('base64')}`)

// Signs an account in at the host of the network, with the client. Tokens are for the method that is asked, unless `lxm` says another.
export async function signIn(account, lxm = (nsid) => nsid) {
  const host = new AtpAgent({ service: world.host })
  await host.login({ identifier: account.handle, password: 'any' })
  return agentWith(host.assertDid, async (nsid) => `Bearer ${await tokenOf(host, lxm(nsid))}`)
}

const definition = (nsid) => nobody.lex.get(nsid)?.defs.main

// Whether the client knows the method: it may be newer than the client.
export const isKnown = (nsid) => definition(nsid) !== undefined

// Whether the method gives a list by pages.
export const isList = (nsid) => Boolean(definition(nsid).parameters?.properties?.cursor && definition(nsid).parameters.properties.limit)

// Asks a method; the client holds the answer against its own lexicon and throws where it does not fit.
export async function ask(agent, nsid, params = {}, input = undefined) {
  const { data, headers } = await agent.call(nsid, params, input, input && { encoding: 'application/json' })
  answered.add(nsid)
  return { ...data, headers }
}

// What is refused, by the name of the error.
export const refused = (promise, status, error) =>
  assert.rejects(promise, (thrown) => {
    assert.ok(thrown instanceof XRPCError, String(thrown))
    assert.deepEqual([thrown.status, thrown.error], [status, error], thrown.message)
    return true
  })

// The name of the list in the method's answer.
function listName(nsid) {
  const { required = [], properties } = definition(nsid).output.schema
  const name = required.find((name) => properties[name].type === 'array')
  assert.ok(name, `${nsid} has no list`)
  return name
}

// The whole list, in pages of `limit`: the last alone has no cursor.
export async function pages(agent, nsid, params, limit) {
  const items = []
  let cursor
  for (let page = 0; page < 400; page += 1) {
    const answer = await ask(agent, nsid, { ...params, limit, ...(cursor && { cursor }) })
    const some = answer[listName(nsid)]
    assert.ok(some.length <= limit, `${nsid}: ${some.length} items on a page of ${limit}`)
    items.push(...some)
    cursor = answer.cursor
    if (!cursor) return items
  }
  assert.fail(`${nsid} ${JSON.stringify(params)} does not end`)
}

// The list in pages of 2 items and of as many as can be had: both are the same. The list.
export async function whole(agent, nsid, params) {
  const most = await pages(agent, nsid, params, definition(nsid).parameters.properties.limit.maximum)
  assert.deepEqual(await pages(agent, nsid, params, 2), most, `${nsid} ${JSON.stringify(params)}: pages of 2`)
  return most
}
