internal import Glibc

/// What the numbers were measured on.
package struct Machine: Codable, Sendable {
  package var processor: String
  package var processorCount: Int
  package var memoryByteCount: Int
  package var kernel: String
  package var work: WorkFileSystem

  /// This machine.
  ///
  /// - Parameter work: the directory that the data lies in.
  package init(work: String) {
    let model = MachineFile.lines("/proc/cpuinfo").first { $0.hasPrefix("model name") }
    processor = String(model?.drop { $0 != ":" }.dropFirst(2) ?? "unknown")
    processorCount = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    memoryByteCount = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    kernel = MachineFile.text("/proc/sys/kernel/osrelease").trimmed
    self.work = WorkFileSystem(at: work)
  }

  /// Bytes that processes may still take.
  package static var availableByteCount: Int {
    let line = MachineFile.lines("/proc/meminfo").first { $0.hasPrefix("MemAvailable:") }
    return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
  }

  package var summary: String {
    let memory = Quantity.fixed(Double(memoryByteCount) / Double(1 << 30), 1)
    return """
      \(processor), \(processorCount) processors, \(memory) GiB, Linux \(kernel)
      work in \(work.type), \(work.hugePages)
      """
  }
}

extension String {
  /// Without the newline, and whatever is blank, at its end.
  var trimmed: String {
    String(prefix(count - reversed().prefix { $0.isWhitespace }.count))
  }
}
