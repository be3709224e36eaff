//! Emergency lists, as a gateway takes them.

use std::fs;
use std::sync::{Arc, Mutex};

use crate::config::Config;
use crate::load::release::urgent::{DOCUMENT, KeptDocument, UrgentList};
use crate::release::emergency::{EntryFault, RefusedEntry};
use crate::release::layout;
use crate::release::rollout::KnownTime;
use crate::sys::clock::system_time;
use crate::sys::state_dir::StateDir;
use crate::update::carrier::Directory;
use crate::update::client::{UpdateHooks, Updates};
use crate::update::emergency::UrgentHooks;
use crate::update::error::UpdateError;
use crate::update::taking_tests::TakingGateway;

/// A gateway with an update client, and the emergency lists that were put in force.
struct Client {
    gateway: TakingGateway,
    updates: Updates,
    put: Arc<Mutex<Vec<UrgentList>>>,
}

impl Client {
    async fn new() -> Self {
        let gateway = TakingGateway::new().await;
        let mut config = Config::embedded();
        config.update.root = Some(gateway.scene.path("repository/1.root.json"));
        let state = StateDir::at(gateway.scene.path("state")).unwrap();
        let put: Arc<Mutex<Vec<UrgentList>>> = Arc::default();
        let (read, written, of) = (Arc::clone(&put), Arc::clone(&put), config.clone());
        let urgent = UrgentHooks {
            version: Box::new(move || read.lock().unwrap().last().map_or(0, |list| list.version)),
            put: Box::new(move |kept| {
                written.lock().unwrap().push(UrgentList::of(kept, &of)?);
                Ok(())
            }),
        };
        let hooks = UpdateHooks {
            is_serving: true,
            time: Box::new(|| KnownTime::Synced(system_time())),
            trial: Box::new(|_| Ok(())),
            adopt: Box::new(|| Ok(())),
            urgent,
        };
        let updates = Updates::open(&config, Some(&state), hooks).unwrap().unwrap();
        Self { gateway, updates, put }
    }

    async fn publish(&self, key: &str, document: &str) {
        let target = (layout::EMERGENCY_TARGET.to_owned(), document.as_bytes().to_vec());
        self.gateway.publish(layout::EMERGENCY, key, &[target]).await;
    }

    async fn update(&self) -> Result<(), UpdateError> {
        let repository = Directory(self.gateway.scene.path("repository"));
        self.updates.update(repository).await.map(drop)
    }

    /// The versions that were put in force, in order.
    fn versions(&self) -> Vec<u64> {
        self.put.lock().unwrap().iter().map(|list| list.version).collect()
    }

    fn stored(&self) -> u64 {
        let kept = KeptDocument::stored(self.gateway.store.path());
        kept.map_or(0, |kept| kept.version)
    }

    fn reason(&self) -> Option<String> {
        self.updates.status().reason
    }

    /// An attempt that refuses the list alone, for this reason.
    async fn refuse(&self, reason: &str) {
        let error = self.update().await.unwrap_err();
        assert!(matches!(error, UpdateError::Urgent(_)), "{reason}: {error}");
        assert_eq!((error.reason(), self.reason().as_deref()), (reason, Some(reason)));
    }
}

/// A document that blocks these names.
fn blocks(names: &[&str]) -> String {
    let entry = |name: &&str| {
        format!(
            r#"{{"name":"{name}","action":"block","category":"fraud","document":"12/2026","authority":"A05","reason":"test","from":1,"until":1000}}"#
        )
    };
    let entries: Vec<String> = names.iter().map(entry).collect();
    format!(r#"{{"format":1,"signed_at":1,"entries":[{}]}}"#, entries.join(","))
}

#[tokio::test]
async fn an_entry_of_a_thief_does_not_act_and_the_others_do() {
    let client = Client::new().await;
    client.update().await.unwrap();
    assert_eq!((client.versions().len(), client.stored()), (0, 0), "none was published yet");
    client.publish("officer", &blocks(&["google.com", "scam.example"])).await;
    client.update().await.unwrap();
    client.update().await.unwrap();
    assert_eq!((client.versions(), client.stored()), (vec![2], 2), "it is taken once");
    let list = client.put.lock().unwrap().pop().unwrap();
    let names: Vec<&str> = list.orders.iter().map(|order| order.entry.name.as_str()).collect();
    assert_eq!(names, ["scam.example"]);
    assert_eq!(list.refused, [RefusedEntry { number: 1, fault: EntryFault::Protected }]);
    assert!(list.seconds_to_use().is_some());
}

#[tokio::test]
async fn it_is_taken_though_the_release_is_refused() {
    let client = Client::new().await;
    client.gateway.rollout(|rollout| rollout.release = 2).await;
    client.publish("officer", &blocks(&["scam.example"])).await;
    assert_eq!(client.update().await.unwrap_err().reason(), "unreachable");
    assert_eq!((client.versions(), client.stored()), (vec![2], 2));
    let mark = client.gateway.store.mark().unwrap();
    assert_eq!(mark.versions.0[layout::EMERGENCY], 2, "an older one is refused from now on");
}

#[tokio::test]
async fn a_list_that_is_refused_leaves_the_one_before() {
    let client = Client::new().await;
    client.publish("officer", &blocks(&["scam.example"])).await;
    client.update().await.unwrap();
    let large = format!("{}{}", blocks(&[]), " ".repeat(1 << 20));
    // A mirror has not got it yet.
    client.publish("officer", &blocks(&["other.example"])).await;
    let targets = client.gateway.scene.path("repository/targets");
    fs::rename(targets.join("emergency"), targets.join("away")).unwrap();
    client.refuse("unreachable").await;
    fs::rename(targets.join("away"), targets.join("emergency")).unwrap();
    for (document, reason) in
        [(r#"{"format":2}"#, "malformed"), ("\u{0}", "malformed"), (&large, "size")]
    {
        client.publish("second", document).await;
        client.refuse(reason).await;
        assert_eq!((client.versions(), client.stored()), (vec![2], 2), "{reason}");
    }
    client.publish("second", &blocks(&[])).await;
    client.update().await.unwrap();
    assert_eq!((client.reason(), client.versions(), client.stored()), (None, vec![2, 7], 7));
}

#[tokio::test]
async fn an_older_list_is_refused_even_where_all_other_memory_is_lost() {
    let client = Client::new().await;
    let repository = client.gateway.scene.path("repository");
    client.publish("officer", &blocks(&["scam.example"])).await;
    let old = fs::read(repository.join("timestamp.json")).unwrap();
    client.publish("officer", &blocks(&[])).await;
    client.update().await.unwrap();
    assert_eq!(client.versions(), [3]);
    fs::remove_file(client.gateway.store.path().join("mark.json")).unwrap();
    fs::write(repository.join("timestamp.json"), old).unwrap();
    client.refuse("rollback").await;
    assert_eq!((client.versions(), client.stored()), (vec![3], 3));
}

#[tokio::test]
async fn it_acts_where_it_cannot_be_stored_and_is_stored_later() {
    let client = Client::new().await;
    let file = client.gateway.store.path().join(DOCUMENT);
    fs::create_dir(&file).unwrap();
    client.publish("officer", &blocks(&["scam.example"])).await;
    for _ in 0..2 {
        client.refuse("disk").await;
        assert_eq!(client.versions(), [2], "it is put in force once");
    }
    fs::remove_dir(&file).unwrap();
    client.update().await.unwrap();
    assert_eq!((client.reason(), client.stored()), (None, 2));
    // A torn file is written again.
    fs::write(&file, r#"{"version":2,"docu"#).unwrap();
    client.update().await.unwrap();
    assert_eq!((client.versions(), client.stored()), (vec![2], 2));
}

/// Neither the lock nor the memory of an attempt can be written.
#[tokio::test]
async fn it_acts_where_the_disk_takes_nothing_at_all() {
    let client = Client::new().await;
    let releases = client.gateway.store.path().to_owned();
    let lock = releases.join("lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    client.publish("officer", &blocks(&["scam.example"])).await;
    for _ in 0..2 {
        assert_eq!(client.update().await.unwrap_err().reason(), "disk");
        assert_eq!((client.versions(), client.stored()), (vec![2], 0), "it acts, once");
    }
    fs::remove_dir(&lock).unwrap();
    let begun = |number: u32| releases.join(format!("incoming-{}-{number}", std::process::id()));
    for number in 0..500 {
        fs::write(begun(number), "in the way").unwrap();
    }
    client.publish("officer", &blocks(&["other.example"])).await;
    assert_eq!(client.update().await.unwrap_err().reason(), "disk");
    assert_eq!((client.versions(), client.reason().as_deref()), (vec![2, 3], Some("disk")));
    for number in 0..500 {
        fs::remove_file(begun(number)).unwrap();
    }
    client.update().await.unwrap();
    assert_eq!((client.reason(), client.versions(), client.stored()), (None, vec![2, 3], 3));
}

#[tokio::test]
async fn an_online_key_signs_no_emergency_list() {
    let client = Client::new().await;
    client.publish("online", &blocks(&["scam.example"])).await;
    assert_eq!(client.update().await.unwrap_err().reason(), "signature");
    assert_eq!((client.versions().len(), client.stored()), (0, 0));
}
