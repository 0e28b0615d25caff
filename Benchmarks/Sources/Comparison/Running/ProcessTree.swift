internal import Glibc

/// What a process and all below it have used, read from proc.
struct ProcessTree {
  struct Usage: Sendable {
    var processorSeconds = 0.0
    var peakByteCount = 0
  }

  private let root: Int32
  /// Processes that are not in the tree: their numbers need no second look.
  private var strangers: Set<Int32> = []

  init(root: Int32) {
    self.root = root
  }

  /// Looks at every process that is in the tree now.
  ///
  /// - Parameter countsReaped: whether a process's usage includes that of its ended children.
  /// - Returns: their usage by their numbers.
  mutating func sample(countsReaped: Bool) -> [Int32: Usage] {
    guard let directory = opendir("/proc") else { return [:] }
    defer { closedir(directory) }
    var usages: [Int32: Usage] = [:]
    var parents: [Int32: Int32] = [:]
    while let entry = readdir(directory) {
      guard entry.pointee.d_type == UInt8(DT_DIR) else { continue }
      let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
        field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard let number = Int32(name), !strangers.contains(number) else { continue }
      guard let status = ProcessStatus(number, countsReaped: countsReaped) else { continue }
      parents[number] = status.parent
      usages[number] = Usage(processorSeconds: status.processorSeconds)
    }
    for number in usages.keys {
      if isBelowRoot(number, parents) {
        usages[number]?.peakByteCount = ProcessStatus.peakByteCount(number)
      } else {
        usages[number] = nil
        strangers.insert(number)
      }
    }
    return usages
  }

  private func isBelowRoot(_ number: Int32, _ parents: [Int32: Int32]) -> Bool {
    var step = number
    while step != root {
      guard let parent = parents[step], parent > 0 else { return false }
      step = parent
    }
    return true
  }
}

/// The fields of proc_pid_stat(5) that matter here.
private struct ProcessStatus {
  var parent: Int32
  var processorSeconds: Double

  init?(_ number: Int32, countsReaped: Bool) {
    let text = MachineFile.text("/proc/\(number)/stat")
    // The name, in parentheses, may hold blanks and parentheses itself.
    guard let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    // The first of these is field 3.
    guard fields.count > 14, let parent = Int32(fields[1]) else { return nil }
    let ticks = fields[11...(countsReaped ? 14 : 12)].reduce(0) { $0 + (Int($1) ?? 0) }
    self.parent = parent
    processorSeconds = Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  static func peakByteCount(_ number: Int32) -> Int {
    let line = MachineFile.lines("/proc/\(number)/status").first { $0.hasPrefix("VmHWM:") }
    return
      (line?.split(whereSeparator: { $0 == " " || $0 == "\t" })
      .dropFirst().first.flatMap { Int($0) } ?? 0) << 10
  }
}
