fn main() -> std::process::ExitCode {
    ::streamflow::job::aggregate::main()
}
