fn main() -> std::process::ExitCode {
    ::streamflow::job::streamflow::main()
}
