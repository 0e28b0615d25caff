internal import CLiburing
internal import Glibc

/// What a process has used so far.
package struct ResourceUsage: Sendable, Equatable {
  /// The most memory that was resident at a time.
  package var peakResidentByteCount: UInt64
  /// Processor time in the program, of all threads.
  package var userNanoseconds: UInt64
  /// Processor time in the kernel on its behalf.
  package var systemNanoseconds: UInt64
}

/// The machine, the user and the process that this is.
package enum Host {
  /// The machine's own name for itself.
  package static var hostName: String { unixName().node }

  /// The kernel's release ("6.1.0-18-amd64").
  package static var kernelRelease: String { unixName().release }

  private static func unixName() -> (node: String, release: String) {
    var name = utsname()
    uname(&name)
    return (
      withUnsafeBytes(of: &name.nodename) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      },
      withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    )
  }

  /// The path of the running program.
  package static func executablePath() throws(SystemError) -> [UInt8] {
    var target = [UInt8](repeating: 0, count: 4096)
    let result = readInto(&target) { buffer, capacity in
      readlink("/proc/self/exe", buffer, capacity)
    }
    return Array(target[..<(try checked(result, "readlink", "/proc/self/exe"))])
  }

  /// The value of an environment variable, nil where it is not set.
  package static func environment(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    return String(cString: value)
  }

  /// The user's home directory: HOME, else the one in the user database.
  package static var homeDirectory: [UInt8]? {
    if let home = getenv("HOME"), home.pointee != 0 { return bytes(home) }
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var text = [CChar](repeating: 0, count: 16_384)
    let result = getpwuid_r(geteuid(), &entry, &text, text.count, &found)
    guard result == 0, found != nil, let home = entry.pw_dir else { return nil }
    return bytes(home)
  }

  private static func bytes(_ text: UnsafePointer<CChar>) -> [UInt8] {
    (0..<strlen(text)).map { UInt8(bitPattern: text[$0]) }
  }

  /// The user whose rights the process has.
  package static var effectiveUserID: UInt32 { geteuid() }

  /// The group whose rights the process has.
  package static var effectiveGroupID: UInt32 { getegid() }

  /// The number of processors that this thread may run on, at least 1.
  package static var processorCount: Int { Thread.processorCount }

  /// The number of this process.
  package static var processID: Int32 { getpid() }

  /// Whether a descriptor is a terminal.
  package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  /// The columns of the terminal that a descriptor is, nil where it is none or does not know.
  package static func terminalWidth(_ descriptor: Int32) -> Int? {
    let width = dtx_terminal_width(descriptor)
    return width > 0 ? Int(width) : nil
  }

  /// Lets this process open as many files as the hard limit allows.
  package static func raiseDescriptorLimit() throws(SystemError) {
    try checked(system { dtx_raise_descriptor_limit() }, "setrlimit", "open files")
  }

  /// Keeps keys in memory out of core files and away from other processes of the same user.
  package static func dropCoreDumps() throws(SystemError) {
    try checked(system { dtx_disable_core_dumps() }, "prctl", "core dumps")
  }

  /// What this process has used so far.
  package static func resourceUsage() -> ResourceUsage {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    // The kernel counts resident memory in KiB.
    return ResourceUsage(
      peakResidentByteCount: UInt64(usage.ru_maxrss) * 1024,
      userNanoseconds: nanoseconds(usage.ru_utime),
      systemNanoseconds: nanoseconds(usage.ru_stime)
    )
  }

  /// Time that all processes of this machine have used of its processors since it started, with
  /// what its guests and interrupts took; 0 where proc(5) does not say, and where this process may
  /// use some of the processors alone: of these nothing is known.
  package static func processorNanoseconds() -> UInt64 {
    guard processorCount == sysconf(Int32(_SC_NPROCESSORS_ONLN)),
      let file = try? File.open(Array("/proc/stat".utf8), .read),
      let bytes = try? file.read(byteCount: 512, at: 0),
      let line = bytes.split(separator: UInt8(ascii: "\n")).first
    else { return 0 }
    // "cpu", then user, nice, system, idle, iowait, irq, softirq, steal; guests are part of user.
    let fields = line.split(separator: UInt8(ascii: " ")).dropFirst().prefix(8).map { field in
      UInt64(String(decoding: field, as: UTF8.self)) ?? 0
    }
    guard fields.count == 8 else { return 0 }
    let ticks = fields.reduce(0, +) - fields[3] - fields[4]
    return ticks * (1_000_000_000 / UInt64(max(sysconf(Int32(_SC_CLK_TCK)), 1)))
  }

  private static func nanoseconds(_ time: timeval) -> UInt64 {
    UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_usec) * 1000
  }

  /// Writes all bytes to a descriptor such as 1 or 2; waits where someone made it non-blocking.
  package static func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws(SystemError) {
    var written = 0
    while written < bytes.count {
      let result = bytes.withUnsafeBytes { buffer in
        let rest = UnsafeRawBufferPointer(rebasing: buffer[written...])
        return system { write(descriptor, rest.baseAddress, rest.count) }
      }
      if result == -Int(EAGAIN) {
        let waited = system { dtx_wait(descriptor, Int32(DTX_WRITABLE.rawValue), -1, -1) }
        try checked(waited, "poll", "descriptor \(descriptor)")
      } else {
        written += try checked(result, "write", "descriptor \(descriptor)")
      }
    }
  }
}
