//! `lachan`: arguments in, exit code out.

fn main() -> std::process::ExitCode {
    lachan::cli::run()
}
