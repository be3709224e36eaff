//! The text of `/metrics`, read back.

/// One scrape.
#[derive(Debug)]
pub(crate) struct Metrics {
    series: Vec<Series>,
    /// The text as it came.
    pub(crate) text: String,
}

#[derive(Debug)]
struct Series {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

impl Metrics {
    /// Reads the Prometheus text format; every line must be a comment or a sample.
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let series = lines
            .map(|line| sample(line).unwrap_or_else(|| panic!("not a sample: {line:?}")))
            .collect();
        Self { series, text: text.to_owned() }
    }

    /// The sum of the series that have these labels; 0 where there is none.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.matching(name, labels).fold(0.0, |sum, series| sum + series.value)
    }

    /// Whether there is a series with these labels, whatever its value.
    pub(crate) fn has(&self, name: &str, labels: &[(&str, &str)]) -> bool {
        self.matching(name, labels).next().is_some()
    }

    /// How many series there are in all.
    pub(crate) fn series_count(&self) -> usize {
        self.series.len()
    }

    fn matching(&self, name: &str, labels: &[(&str, &str)]) -> impl Iterator<Item = &Series> {
        self.series.iter().filter(move |series| {
            series.name == name
                && labels
                    .iter()
                    .all(|&(key, value)| series.labels.iter().any(|(k, v)| k == key && v == value))
        })
    }
}

/// `name{key="value",…} number`
fn sample(line: &str) -> Option<Series> {
    let (left, value) = line.rsplit_once(' ')?;
    let value = value.parse().ok()?;
    let Some((name, labels)) = left.split_once('{') else {
        return Some(Series { name: left.to_owned(), labels: Vec::new(), value });
    };
    let mut rest = labels.strip_suffix('}')?;
    let mut labels = Vec::new();
    while !rest.is_empty() {
        let (key, after) = rest.split_once("=\"")?;
        let (text, after) = quoted(after)?;
        labels.push((key.to_owned(), text));
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    Some(Series { name: name.to_owned(), labels, value })
}

/// The text up to the closing quote, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => out.push('\n'),
                other => out.push(other),
            },
            other => out.push(other),
        }
    }
    None
}

#[test]
fn exposition_text_is_read() {
    let metrics = Metrics::parse(
        "# HELP a b\na{group=\"x \\\"y\\\"\",category=\"z,w\"} 2\na{category=\"z\"} 3\nb 0.5\n",
    );
    assert!((metrics.value("a", &[]) - 5.0).abs() < f64::EPSILON);
    assert!((metrics.value("a", &[("group", "x \"y\"")]) - 2.0).abs() < f64::EPSILON);
    assert!(metrics.has("b", &[]) && !metrics.has("c", &[]));
    assert_eq!(metrics.series_count(), 3);
}
