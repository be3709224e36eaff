//! nginx with TLS: some directories, each on a port, and what it says of the octets that it sent.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use crate::kit::fleet::site::Tally;
use crate::support::eventually;
use crate::support::gateway::spawn;
use crate::support::ports::free_port;

/// A running nginx.
pub(super) struct Nginx {
    dir: TempDir,
    child: Child,
    /// The port of each directory.
    pub(super) ports: Vec<u16>,
}

impl Nginx {
    /// Whether it is here.
    pub(super) fn is_here() -> bool {
        Command::new("nginx").arg("-v").output().is_ok()
    }

    /// Serves directories as `host`, each on a port of its own.
    pub(super) fn start(host: &str, roots: &[PathBuf]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        certificate(host, dir.path());
        let ports: Vec<u16> = roots.iter().map(|_| free_port()).collect();
        let own = dir.path().display();
        let mut servers = String::new();
        for (place, (root, port)) in roots.iter().zip(&ports).enumerate() {
            let root = root.display();
            writeln!(
                servers,
                "server {{ listen 127.0.0.1:{port} ssl; root {root}; access_log {own}/{place}.log octets; }}"
            )
            .unwrap();
        }
        let config = format!(
            "user root; daemon off; worker_processes 1; pid {own}/pid; error_log stderr;\n\
             events {{ worker_connections 512; }}\n\
             http {{ log_format octets '$status $bytes_sent $request_length $uri $http_user_agent';\n\
             types {{ application/json json; }} default_type application/octet-stream;\n\
             gzip on; gzip_types application/json; server_tokens off;\n\
             client_body_temp_path {own}/body; proxy_temp_path {own}/proxy;\n\
             fastcgi_temp_path {own}/fastcgi; uwsgi_temp_path {own}/uwsgi; scgi_temp_path {own}/scgi;\n\
             ssl_certificate {own}/leaf.pem; ssl_certificate_key {own}/key.pem;\n\
             ssl_session_cache shared:tls:1m;\n{servers}}}\n"
        );
        fs::write(dir.path().join("nginx.conf"), config).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-e").arg("stderr").arg("-c").arg(dir.path().join("nginx.conf"));
        let (child, log) = spawn(command);
        let made = Self { dir, child, ports };
        for port in &made.ports {
            let address = SocketAddr::from(([127, 0, 0, 1], *port));
            eventually(&format!("nginx: {}", log.lock().unwrap()), || {
                TcpStream::connect(address).ok()
            });
        }
        made
    }

    /// The authority of its certificate.
    pub(super) fn roots(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// Its log of a directory, from this line on: requests of clients that `counts` takes by their User-Agent.
    pub(super) fn tally(&self, place: usize, from: usize, counts: impl Fn(&str) -> bool) -> Tally {
        let mut tally = Tally::default();
        for line in self.log(place).lines().skip(from) {
            let words: Vec<&str> = line.splitn(5, ' ').collect();
            let [status, sent, received, path, agent] = words[..] else { panic!("{line}") };
            if counts(agent) {
                let octets: u64 = sent.parse::<u64>().unwrap() + received.parse::<u64>().unwrap();
                tally.add(path, status.parse().unwrap(), octets);
            }
        }
        tally
    }

    /// The lines of its log of a directory so far.
    pub(super) fn lines(&self, place: usize) -> usize {
        self.log(place).lines().count()
    }

    fn log(&self, place: usize) -> String {
        fs::read_to_string(self.dir.path().join(format!("{place}.log"))).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // SIGTERM ends its worker with it.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// A certificate for a host, its key, and the authority that signed it.
fn certificate(host: &str, dir: &Path) {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new([]).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    fs::write(dir.join("ca.pem"), ca.self_signed(&ca_key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new([host.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    fs::write(dir.join("leaf.pem"), leaf.pem()).unwrap();
    fs::write(dir.join("key.pem"), key.serialize_pem()).unwrap();
}
