//! Who holds a lease, and whether that process can still be alive.
//!
//! An owner's name says which process of which boot of which machine it is, so that a service that starts after its
//! predecessor was killed can take over at once instead of waiting until the lease expires. Only Linux tells enough
//! for that (`/proc`); elsewhere every owner counts as alive, and leases expire.

use crate::db::{Database, write};
use crate::models::jobs::Job;

/// A new owner's name: `{machine}:{process}:{start}:{unique identifier}`.
pub fn new_owner() -> String {
    let process = std::process::id();
    format!("{}:{process}:{}:{}", machine(), started(process).unwrap_or_default(), uuid::Uuid::new_v4().simple())
}

/// Identifies the boot and the PID namespace: containers on one machine share the first, not the second.
fn machine() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let numbers = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let numbers: String = numbers.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    if boot.trim().is_empty() || numbers.is_empty() { "unknown".to_owned() } else { format!("{}-{numbers}", boot.trim()) }
}

/// Start time of a process in the kernel's ticks; `None` where there is no such process.
fn started(process: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is a name in parentheses and may hold anything; the start is the 22nd.
    let fields = stat.rsplit_once(')')?.1;
    // A zombie is dead: its parent has only not waited for it yet.
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18).map(str::to_owned)
}

/// Whether the owner is known to be dead: same boot, same machine, and no such process.
fn is_dead(owner: &str) -> bool {
    let mut parts = owner.split(':');
    let (Some(at), Some(process), Some(start)) = (parts.next(), parts.next(), parts.next()) else { return false };
    let Ok(process) = process.parse() else { return false };
    at != "unknown" && at == machine() && started(process).as_deref() != Some(start)
}

/// Ends the leases of dead processes of this machine; returns how many.
pub fn expire_dead(database: &Database) -> anyhow::Result<usize> {
    let mut conn = database.get()?;
    let dead: Vec<String> = Job::open(&mut conn)?.into_iter().filter_map(|job| job.lease_owner).filter(|owner| is_dead(owner)).collect();
    if dead.is_empty() {
        return Ok(0);
    }
    Ok(write(&mut conn, |conn| Job::expire_leases(conn, &dead))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_living_owner_is_not_dead_and_others_elsewhere_are_not_judged() {
        let me = new_owner();
        assert!(!is_dead(&me), "{me}");
        assert!(!is_dead(""));
        assert!(!is_dead("elsewhere:1:1:x"));
        assert!(!is_dead("unknown:999999999:1:x"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn another_start_of_the_same_number_is_dead() {
        let me = new_owner();
        let mut parts: Vec<&str> = me.split(':').collect();
        parts[2] = "1";
        assert!(is_dead(&parts.join(":")));
    }
}
