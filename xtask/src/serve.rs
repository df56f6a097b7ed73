//! A static file server for one folder, on the loopback interface only.
//!
//! It serves what `dist/playground` would be served as by any web server: GET and HEAD, right
//! types, `index.html` for a folder. Files whose name carries a hash may be kept for ever, all
//! others are asked for again each time. A path never leads out of the folder.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// No request line with its headers is longer.
const MAX_REQUEST: u64 = 64 * 1024;

/// A server that listens, but does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    folder: PathBuf,
}

impl Server {
    /// Takes the port (0: any free one) on 127.0.0.1.
    ///
    /// # Errors
    /// When the port is in use, or the folder does not exist.
    pub fn bind(folder: &Path, port: u16) -> Result<Self> {
        let folder = folder
            .canonicalize()
            .with_context(|| format!("{}", folder.display()))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).with_context(|| {
            format!("cannot listen on 127.0.0.1:{port}; choose another port with --port N")
        })?;
        Ok(Self { listener, folder })
    }

    /// Where the folder is served.
    ///
    /// # Errors
    /// When the socket has no address.
    pub fn url(&self) -> Result<String> {
        Ok(format!("http://{}/", self.listener.local_addr()?))
    }

    /// Answers requests, each connection in a thread of its own, until the process ends.
    pub fn run(self) {
        let folder: Arc<Path> = self.folder.into();
        for stream in self.listener.incoming() {
            let folder = Arc::clone(&folder);
            match stream {
                // A browser that goes away in the middle of an answer is no fault of ours.
                Ok(stream) => drop(std::thread::spawn(move || converse(&stream, &folder).ok())),
                Err(error) => eprintln!("warning: {error}"),
            }
        }
    }
}

/// Answers the requests of one connection, one after the other.
fn converse(stream: &TcpStream, folder: &Path) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = (&mut reader).take(MAX_REQUEST);
        let mut request = String::new();
        if head.read_line(&mut request)? == 0 {
            return Ok(());
        }
        let mut last = request.trim_end().ends_with("HTTP/1.0");
        let mut header = String::new();
        while head.read_line(&mut header)? > 0 && !header.trim_end().is_empty() {
            last |= header.trim_end().eq_ignore_ascii_case("connection: close");
            header.clear();
        }
        if head.limit() == 0 {
            return respond(
                stream,
                &Answer::error("431 Request Header Fields Too Large"),
                true,
            );
        }
        let mut words = request.split_ascii_whitespace();
        let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        match method {
            "GET" | "HEAD" => respond(stream, &answer(folder, path), method == "GET")?,
            // It may have a body, which nobody reads: the connection ends here.
            _ => return respond(stream, &Answer::error("405 Method Not Allowed"), true),
        }
        if last {
            return Ok(());
        }
    }
}

/// What a request gets.
#[derive(Debug)]
struct Answer {
    status: &'static str,
    kind: &'static str,
    cache: &'static str,
    body: Vec<u8>,
}

impl Answer {
    fn error(status: &'static str) -> Self {
        let body = format!("{status}\n").into_bytes();
        Self {
            status,
            kind: "text/plain; charset=utf-8",
            cache: "no-cache",
            body,
        }
    }
}

fn answer(folder: &Path, target: &str) -> Answer {
    let Some(file) = resolve(folder, target) else {
        return Answer::error("404 Not Found");
    };
    match std::fs::read(&file) {
        Ok(body) => Answer {
            status: "200 OK",
            kind: kind(&file),
            cache: cache(&file),
            body,
        },
        Err(_) => Answer::error("404 Not Found"),
    }
}

/// The file a request's target means, if it is one inside the folder.
fn resolve(folder: &Path, target: &str) -> Option<PathBuf> {
    let path = target.split(['?', '#']).next()?.strip_prefix('/')?;
    let path = percent_decode(path)?;
    let mut file = folder.to_path_buf();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        if part == "." || part == ".." || part.contains(['\\', ':', '\0']) {
            return None;
        }
        file.push(part);
    }
    if file.is_dir() {
        file.push("index.html");
    }
    // A link in the folder may point out of it.
    let file = file.canonicalize().ok()?;
    file.starts_with(folder).then_some(file)
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            decoded.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

fn kind(file: &Path) -> &'static str {
    match file
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or("")
    {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// `NAME-HASH.EXT` never changes (8 characters from esbuild, 16 from us); any other file may.
fn cache(file: &Path) -> &'static str {
    let stem = file
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or("");
    let hash = stem.rsplit_once('-').map_or("", |(_, hash)| hash);
    let hashed = match hash.len() {
        8 => hash
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()),
        16 => hash.bytes().all(|byte| byte.is_ascii_hexdigit()),
        _ => false,
    };
    if hashed {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

fn respond(mut stream: &TcpStream, answer: &Answer, with_body: bool) -> std::io::Result<()> {
    let Answer {
        status,
        kind,
        cache,
        body,
    } = answer;
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Cache-Control: {cache}\r\nX-Content-Type-Options: nosniff\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    if with_body {
        stream.write_all(body)?;
    }
    stream.flush()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// A folder with `index.html`, `a/b-0123456789abcdef.wasm`, and a secret beside it.
    fn folder(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("xtask-serve-{name}-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("site/a")).unwrap();
        std::fs::write(dir.join("site/index.html"), "page").unwrap();
        std::fs::write(dir.join("site/a/b-0123456789abcdef.wasm"), "wasm").unwrap();
        std::fs::write(dir.join("secret"), "secret").unwrap();
        dir.join("site").canonicalize().unwrap()
    }

    #[test]
    fn serves_files_with_their_type_and_lifetime() {
        let site = folder("types");
        let page = answer(&site, "/?embed");
        assert_eq!(
            (page.status, page.body.as_slice()),
            ("200 OK", b"page".as_slice())
        );
        assert_eq!(
            (page.kind, page.cache),
            ("text/html; charset=utf-8", "no-cache")
        );
        let wasm = answer(&site, "/a/b%2D0123456789abcdef.wasm");
        assert_eq!((wasm.status, wasm.kind), ("200 OK", "application/wasm"));
        assert!(wasm.cache.contains("immutable"));
        assert_eq!(answer(&site, "/a").status, "404 Not Found");
        assert_eq!(answer(&site, "/nothing").status, "404 Not Found");
    }

    #[test]
    fn no_path_leads_out() {
        let site = folder("out");
        #[cfg(unix)]
        {
            let link = site.join("link");
            std::fs::remove_file(&link).ok();
            std::os::unix::fs::symlink(site.parent().unwrap().join("secret"), link).unwrap();
        }
        for target in [
            "/../secret",
            "/%2e%2e/secret",
            "/a/../../secret",
            "/..%2fsecret",
            "/..%5csecret",
            "/link",
            "//../secret",
            "secret",
            "/%",
            "/%ff",
            "/a%00",
        ] {
            assert_eq!(answer(&site, target).status, "404 Not Found", "{target}");
        }
    }

    #[test]
    fn a_taken_port_is_an_error_that_names_it() {
        let site = folder("port");
        let first = Server::bind(&site, 0).unwrap();
        let port = first.listener.local_addr().unwrap().port();
        let error = format!("{:#}", Server::bind(&site, port).unwrap_err());
        assert!(
            error.contains(&port.to_string()) && error.contains("--port"),
            "{error}"
        );
    }

    #[test]
    fn one_connection_carries_many_requests() {
        let server = Server::bind(&folder("alive"), 0).unwrap();
        let address = server.listener.local_addr().unwrap();
        std::thread::spawn(move || server.run());
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .write_all(b"HEAD / HTTP/1.1\r\n\r\nGET /no HTTP/1.1\r\n\r\nGET /")
            .unwrap();
        stream
            .write_all(b" HTTP/1.1\r\nHost: x\r\n\r\nPOST / HTTP/1.1\r\n\r\n")
            .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        // The last may have a body that nobody reads: it ends the connection.
        let statuses: Vec<_> = text
            .split("HTTP/1.1 ")
            .skip(1)
            .map(|rest| &rest[..3])
            .collect();
        assert_eq!(statuses, ["200", "404", "200", "405"]);
        assert!(text.contains("\r\n\r\npageHTTP/1.1 405"), "{text}");
    }
}
