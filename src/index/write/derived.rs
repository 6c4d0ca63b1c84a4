//! What is derived beyond edges and counts: gates, notifications, what waits, joins. As all of `write`: the net difference only.

use tokio_postgres::Error;

use crate::collection::{Ref, Threadgate};
use crate::db::notif::Notif;
use crate::db::pack_join::PackJoin;
use crate::db::pending::Pending;
use crate::db::{Transaction, notif, pack_join, pending, postgate, threadgate};
use crate::index::simulate::{Slot, World};

/// Writes everything derived that `world` changed.
pub(super) async fn all(tx: &Transaction<'_>, world: &World<'_>) -> [Result<(), Error>; 5] {
    tokio::join!(threadgates(tx, world), postgates(tx, world), notifs(tx, world), waiting(tx, world), joins(tx, world)).into()
}

fn place(at: &Ref) -> (i32, i64) {
    (at.author, at.rkey)
}

async fn threadgates(tx: &Transaction<'_>, world: &World<'_>) -> Result<(), Error> {
    let (mut gone, mut put): (Vec<Ref>, Vec<(Ref, &Threadgate)>) = (Vec::new(), Vec::new());
    for (at, slot) in world.gates.threads.iter().filter(|(_, slot)| slot.before != slot.now) {
        match &slot.now {
            Some(gate) => put.push((*at, gate)),
            None => gone.push(*at),
        }
    }
    gone.sort_unstable_by_key(place);
    put.sort_unstable_by_key(|(at, _)| place(at));
    if !gone.is_empty() {
        threadgate::delete(tx, &gone).await?;
    }
    if !put.is_empty() {
        threadgate::put(tx, &put).await?;
    }
    Ok(())
}

async fn postgates(tx: &Transaction<'_>, world: &World<'_>) -> Result<(), Error> {
    let changed = |now: bool| {
        let moved = world.gates.posts.iter().filter(|(_, slot)| slot.before != slot.now && slot.now.is_some() == now);
        let mut places: Vec<Ref> = moved.map(|(at, _)| *at).collect();
        places.sort_unstable_by_key(place);
        places
    };
    let (gone, new) = (changed(false), changed(true));
    if !gone.is_empty() {
        postgate::delete(tx, &gone).await?;
    }
    if !new.is_empty() {
        postgate::insert(tx, &new).await?;
    }
    Ok(())
}

async fn notifs(tx: &Transaction<'_>, world: &World<'_>) -> Result<(), Error> {
    let (mut gone, mut new): (Vec<Notif>, Vec<Notif>) = (Vec::new(), Vec::new());
    for slot in world.notifs.0.values().flat_map(|slots| slots.values()).filter(|slot| slot.before != slot.now) {
        gone.extend(slot.before);
        new.extend(slot.now);
    }
    for notifs in [&mut gone, &mut new] {
        notifs.sort_unstable_by_key(|n| (place(&n.record), n.recipient, n.reason));
    }
    if !gone.is_empty() {
        notif::delete(tx, &gone).await?;
    }
    if !new.is_empty() {
        notif::insert(tx, &new).await?;
    }
    Ok(())
}

async fn waiting(tx: &Transaction<'_>, world: &World<'_>) -> Result<(), Error> {
    let (mut gone, mut new, mut moved): (Vec<Ref>, Vec<Pending>, Vec<Pending>) = (Vec::new(), Vec::new(), Vec::new());
    for Slot { before, now } in world.waiting.slots.values() {
        match (before, now) {
            (Some(before), None) => gone.push(before.reply),
            (None, Some(now)) => new.push(*now),
            (Some(before), Some(now)) if before != now => moved.push(*now),
            _ => {}
        }
    }
    gone.sort_unstable_by_key(place);
    for rows in [&mut new, &mut moved] {
        rows.sort_unstable_by_key(|row| place(&row.reply));
    }
    if !gone.is_empty() {
        pending::delete(tx, &gone).await?;
    }
    if !moved.is_empty() {
        pending::update(tx, &moved).await?;
    }
    if !new.is_empty() {
        pending::insert(tx, &new).await?;
    }
    Ok(())
}

async fn joins(tx: &Transaction<'_>, world: &World<'_>) -> Result<(), Error> {
    let (mut gone, mut put): (Vec<i32>, Vec<PackJoin>) = (Vec::new(), Vec::new());
    for (author, slot) in world.joins.0.iter().filter(|(_, slot)| slot.before != slot.now) {
        match slot.now {
            Some(join) => put.push(join),
            None => gone.push(*author),
        }
    }
    gone.sort_unstable();
    put.sort_unstable_by_key(|join| join.author);
    if !gone.is_empty() {
        pack_join::delete(tx, &gone).await?;
    }
    if !put.is_empty() {
        pack_join::put(tx, &put).await?;
    }
    Ok(())
}
