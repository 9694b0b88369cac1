fn main() -> std::process::ExitCode {
    ::streamflow::job::fetch_publish::main()
}
