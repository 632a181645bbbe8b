@main enum SyncBenchmark { static func main() {} }
