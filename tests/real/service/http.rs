//! Just enough HTTP/1.1 for the clients at hand: keep-alive, bodies with a length or in chunks, JSON replies, and
//! server-sent events in chunks.
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A body larger than this is refused; the longest real conversation is far below it.
const MAX_BODY: usize = 64 << 20;

pub struct Incoming {
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// `None` if the body is not JSON.
    pub body: Option<Value>,
    pub bytes: usize,
}

pub struct Connection {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
}

impl Connection {
    pub fn new(stream: TcpStream) -> io::Result<Connection> {
        stream.set_nodelay(true)?;
        Ok(Connection { writer: stream.try_clone()?, reader: BufReader::new(stream) })
    }

    /// The next request; `None` when the client has closed the connection.
    pub fn next_request(&mut self) -> io::Result<Option<Incoming>> {
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace();
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or("/");
        let path = target.split('?').next().unwrap_or("/").to_owned();
        let mut length = 0;
        let mut chunked = false;
        loop {
            let mut header = String::new();
            if self.reader.read_line(&mut header)? == 0 {
                return Ok(None);
            }
            let header = header.trim_end();
            if header.is_empty() {
                break;
            }
            let Some((name, value)) = header.split_once(':') else { continue };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap_or(0),
                "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
                "expect" => self.writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?,
                _ => {}
            }
        }
        let raw = if chunked { self.chunked_body()? } else { self.sized_body(length)? };
        Ok(Some(Incoming { method, path, bytes: raw.len(), body: serde_json::from_slice(&raw).ok() }))
    }

    fn sized_body(&mut self, length: usize) -> io::Result<Vec<u8>> {
        if length > MAX_BODY {
            return Err(io::Error::other("body too large"));
        }
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body)?;
        Ok(body)
    }

    fn chunked_body(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line)?;
            let size =
                usize::from_str_radix(line.trim().split(';').next().unwrap_or("0"), 16).map_err(io::Error::other)?;
            body.extend(self.sized_body(size)?);
            let mut end = String::new();
            self.reader.read_line(&mut end)?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    pub fn json(&mut self, status: u16, headers: &[(&str, String)], body: &Value) -> io::Result<()> {
        let body = body.to_string();
        let mut head = format!("HTTP/1.1 {status} {}\r\ncontent-type: application/json\r\n", reason(status));
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        self.writer.write_all(head.as_bytes())?;
        self.writer.write_all(body.as_bytes())
    }

    /// A reply without a body, for HEAD.
    pub fn empty(&mut self) -> io::Result<()> {
        self.writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    }

    pub fn start_events(&mut self) -> io::Result<()> {
        self.writer.write_all(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n",
        )
    }

    /// One server-sent event. `data` is JSON, or the literal text of a JSON string (`[DONE]`).
    pub fn event(&mut self, name: Option<&str>, data: &Value) -> io::Result<()> {
        let data = match data {
            Value::String(literal) => literal.clone(),
            other => other.to_string(),
        };
        let name = name.map(|n| format!("event: {n}\n")).unwrap_or_default();
        let text = format!("{name}data: {data}\n\n");
        self.writer.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes())
    }

    pub fn end_events(&mut self) -> io::Result<()> {
        self.writer.write_all(b"0\r\n\r\n")
    }

    /// Cuts the connection in the middle of an answer.
    pub fn cut(&mut self) -> io::Error {
        let _ = self.writer.shutdown(std::net::Shutdown::Both);
        io::Error::from(io::ErrorKind::ConnectionAborted)
    }

    /// Has the other side gone? Looks without waiting and without taking anything.
    pub fn is_closed(&self) -> bool {
        let mut byte = [0];
        if self.writer.set_nonblocking(true).is_err() {
            return true;
        }
        let seen = self.writer.peek(&mut byte);
        let _ = self.writer.set_nonblocking(false);
        match seen {
            Ok(n) => n == 0,
            Err(e) => e.kind() != io::ErrorKind::WouldBlock,
        }
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Status",
    }
}
