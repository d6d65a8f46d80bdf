//! The plugin's executable: the whole program is the library.

fn main() -> std::process::ExitCode {
    kubia::run(std::env::args_os())
}
