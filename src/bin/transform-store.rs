fn main() -> std::process::ExitCode {
    ::streamflow::job::transform_store::main()
}
