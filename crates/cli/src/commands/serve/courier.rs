//! Takes notifications where they belong: HTTP and SMTP, each attempt bounded in time.

use std::time::Duration;

use anyhow::{Context as _, Result};
use lettre::{Message, SmtpTransport, Transport as _, message::Mailbox};
use reqwest::blocking::Client;
use serde_json::Value;
use strongroom_control::notify::{Courier, Settings};
use strongroom_model::chain;

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The courier of the service.
pub(crate) struct Post {
    http: Client,
}

impl Post {
    pub(crate) fn new() -> Result<Self> {
        let http = Client::builder()
            .user_agent(concat!("strongroom/", env!("CARGO_PKG_VERSION")))
            // An alarm goes where the operator said, not where somebody sends it on to.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .context("cannot prepare the delivery of notifications")?;
        Ok(Self { http })
    }

    /// Whether server and addresses of a mail channel can be understood.
    pub(crate) fn check_mail(settings: &Settings) -> Result<()> {
        let Settings::Mail { server, from, to } = settings else {
            return Ok(());
        };
        transport(server).map_err(anyhow::Error::msg)?;
        for address in to.iter().chain([from]) {
            mailbox(address).map_err(anyhow::Error::msg)?;
        }
        Ok(())
    }
}

impl Courier for Post {
    fn deliver(&self, settings: &Settings, message: &Value) -> Result<(), String> {
        match settings {
            Settings::Webhook { url } => answered(self.http.post(url).json(message).send()),
            Settings::Mail { server, from, to } => mail(server, from, to, message),
            Settings::Heartbeat { .. } => Ok(()),
        }
    }

    fn beat(&self, url: &str) -> Result<(), String> {
        answered(self.http.get(url).send())
    }
}

fn answered(answer: reqwest::Result<reqwest::blocking::Response>) -> Result<(), String> {
    // The address can hold a secret, and problems are logged.
    let answer = answer.map_err(|error| chain(&error.without_url()))?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(format!("the address answers {}", answer.status()))
}

fn mail(server: &str, from: &str, to: &[String], message: &Value) -> Result<(), String> {
    let word = |name: &str| message[name].as_str().unwrap_or_default();
    let about = match word("resource_name") {
        "" => word("vault_name"),
        resource => resource,
    };
    let subject = match word("event") {
        "cleared" => format!("[strongroom] {about} is well again ({})", word("kind")),
        _ => format!("[strongroom] {}: {about}", word("kind")),
    };
    let text = format!(
        "{}\r\n\r\nvault {} {}\r\nproject {}\r\nraised {}\r\ncleared {}\r\n",
        word("message"),
        word("vault_name"),
        word("vault_id"),
        word("project_id"),
        word("raised_at"),
        word("cleared_at"),
    );
    let mut mail = Message::builder().from(mailbox(from)?).subject(subject);
    for address in to {
        mail = mail.to(mailbox(address)?);
    }
    let mail = mail.body(text).map_err(|error| chain(&error))?;
    let sent = transport(server)?.send(&mail);
    sent.map(drop).map_err(|error| chain(&error))
}

fn mailbox(address: &str) -> Result<Mailbox, String> {
    address
        .parse()
        .map_err(|error| format!("{address:?} is no mail address: {error}"))
}

fn transport(server: &str) -> Result<SmtpTransport, String> {
    // Without a word about it, TLS is used where the server offers it.
    let plain = server.starts_with("smtp://") && !server.contains('?');
    let url = if plain {
        format!("{server}?tls=opportunistic")
    } else {
        server.to_owned()
    };
    let transport = SmtpTransport::from_url(&url);
    let transport = transport.map_err(|error| format!("the mail server's address: {error}"))?;
    Ok(transport.timeout(Some(PATIENCE)).build())
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader, Write as _},
        net::{TcpListener, TcpStream},
        thread,
    };

    use serde_json::json;

    use super::*;

    /// Answers one connection with `talk`; the address and what was heard.
    fn server<T: Send + 'static>(
        talk: impl FnOnce(TcpStream) -> T + Send + 'static,
    ) -> (String, thread::JoinHandle<T>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heard = thread::spawn(move || talk(listener.accept().unwrap().0));
        (address, heard)
    }

    /// Reads one HTTP request and answers it so.
    fn http(answer: &'static str) -> (String, thread::JoinHandle<String>) {
        server(move |mut stream| {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(number) = line.to_lowercase().strip_prefix("content-length: ") {
                    length = number.trim().parse().unwrap();
                }
                head.push_str(&line);
                if line == "\r\n" {
                    break;
                }
            }
            let mut body = vec![0; length];
            std::io::Read::read_exact(&mut reader, &mut body).unwrap();
            write!(stream, "HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n").unwrap();
            head + &String::from_utf8(body).unwrap()
        })
    }

    fn alarm() -> Value {
        json!({
            "event": "raised", "kind": "overdue", "resource_name": "home", "vault_name": "v",
            "message": "home in vault v has no new backup",
        })
    }

    #[test]
    fn a_webhook_gets_the_alarm_and_a_refusal_is_a_failure_that_hides_the_address() {
        let post = Post::new().unwrap();
        let (address, heard) = http("200 OK");
        let url = format!("http://{address}/secret");
        post.deliver(&Settings::Webhook { url }, &alarm()).unwrap();
        let heard = heard.join().unwrap();
        assert!(heard.starts_with("POST /secret"), "{heard}");
        assert!(heard.contains(r#""kind":"overdue""#), "{heard}");
        for answer in ["500 No", "302 Found\r\nlocation: http://127.0.0.1:1/"] {
            let (address, heard) = http(answer);
            let url = format!("http://{address}/secret");
            let problem = post.deliver(&Settings::Webhook { url }, &alarm());
            let problem = problem.unwrap_err();
            assert!(problem.contains("answers"), "{problem}");
            heard.join().unwrap();
        }
        let nobody = Settings::Webhook {
            url: "http://127.0.0.1:1/secret".to_owned(),
        };
        let problem = post.deliver(&nobody, &alarm()).unwrap_err();
        assert!(!problem.contains("secret"), "{problem}");
    }

    #[test]
    fn a_heartbeat_is_a_plain_request() {
        let (address, heard) = http("204 No Content");
        Post::new()
            .unwrap()
            .beat(&format!("http://{address}/b"))
            .unwrap();
        assert!(heard.join().unwrap().starts_with("GET /b"));
    }

    /// A mail server that takes everything.
    fn smtp(stream: TcpStream) -> String {
        let mut answer = stream.try_clone().unwrap();
        let mut say = |text: &str| write!(answer, "{text}\r\n").unwrap();
        say("220 mail.test");
        let (mut heard, mut in_data) = (String::new(), false);
        for line in BufReader::new(stream).lines() {
            let line = line.unwrap();
            heard.push_str(&line);
            heard.push('\n');
            match (in_data, line.split([' ', ':']).next().unwrap_or_default()) {
                (true, ".") => {
                    in_data = false;
                    say("250 taken");
                }
                (true, _) => {}
                (false, "DATA") => {
                    in_data = true;
                    say("354 go on");
                }
                (false, "QUIT") => {
                    say("221 bye");
                    break;
                }
                (false, _) => say("250 fine"),
            }
        }
        heard
    }

    #[test]
    fn a_mail_says_what_is_wrong_in_its_subject() {
        let (address, heard) = server(smtp);
        let settings = Settings::Mail {
            server: format!("smtp://{address}"),
            from: "Strongroom <backup@test.example>".to_owned(),
            to: vec!["night@test.example".to_owned()],
        };
        Post::check_mail(&settings).unwrap();
        Post::new().unwrap().deliver(&settings, &alarm()).unwrap();
        let heard = heard.join().unwrap();
        assert!(heard.contains("RCPT TO:<night@test.example>"), "{heard}");
        assert!(
            heard.contains("Subject: [strongroom] overdue: home"),
            "{heard}"
        );
        assert!(heard.contains("has no new backup"), "{heard}");
    }

    #[test]
    fn a_mail_channel_that_cannot_work_is_refused_when_it_is_made() {
        let mail = |server: &str, to: &str| {
            Post::check_mail(&Settings::Mail {
                server: server.to_owned(),
                from: "a@b.example".to_owned(),
                to: vec![to.to_owned()],
            })
        };
        mail("smtps://u:p@mail.test:465", "c@d.example").unwrap();
        assert!(mail("smtp://mail.test", "nobody").is_err());
        assert!(mail("smtp://", "c@d.example").is_err());
    }
}
