import DTXLinux
import Glibc
import Testing

/// A fresh directory for one test, removed with it.
final class Workbench: Sendable {
  let path: [UInt8]
  let root: Directory

  init(resolver: PathResolver = .automatic) throws {
    let template = (Host.environment("TMPDIR") ?? "/tmp") + "/dtx-test-XXXXXX"
    var text = Array(template.utf8CString)
    try #require(mkdtemp(&text) != nil)
    path = text.dropLast().map { UInt8(bitPattern: $0) }
    root = try Directory.open(path, resolver: resolver)
  }

  deinit {
    try? Workbench.empty(root)
    _ = path.withUnsafeBufferPointer { rmdir(String(decoding: $0, as: UTF8.self)) }
  }

  private static func empty(_ directory: Directory) throws {
    for item in try directory.names() {
      if try directory.status(of: item.name).kind == .directory {
        try empty(directory.openDirectory(item.name))
        try directory.removeDirectory(item.name)
      } else {
        try directory.unlink(item.name)
      }
    }
  }

  /// Makes a file with this content and returns it open.
  @discardableResult
  func makeFile(_ name: String, _ content: String = "") throws -> File {
    let file = try root.openFile(bytes(name), .createExclusive)
    try file.write(bytes(content), at: 0)
    return file
  }

  func content(_ name: String) throws -> String {
    let file = try root.openFile(bytes(name), .read)
    return String(decoding: try file.read(byteCount: 65_536, at: 0), as: UTF8.self)
  }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// The error number that the body throws, nil if it throws none.
func errorNumber(_ body: () throws(SystemError) -> Void) -> Int32? {
  do {
    try body()
    return nil
  } catch {
    return error.number
  }
}

/// An instant after which a test that still waits has failed.
func soon() -> UInt64 { Clock.now() + 30_000_000_000 }

/// A call on a thread of its own that is expected to block.
struct BlockedCall<Result: Sendable> {
  private let thread: Thread
  private let results = Mailbox<Result>()
  private let place: String

  /// Starts the call and waits until the kernel shows the thread asleep in one of these calls.
  init(in systemCalls: Set<Int>, _ body: @escaping @Sendable () -> Result) throws {
    let places = Mailbox<String>()
    let results = results
    thread = try Thread(name: "blocked") {
      var link = [CChar](repeating: 0, count: 64)
      let count = readlink("/proc/thread-self", &link, link.count)
      let name = link.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }
      places.send("/proc/" + String(decoding: name, as: UTF8.self) + "/syscall")
      results.send(body())
    }
    place = try #require(places.receive(deadline: soon()))
    let limit = soon()
    while !isAsleep(in: systemCalls) {
      try #require(Clock.now() < limit, "the thread never blocked")
      sched_yield()
    }
  }

  /// "running" while it runs, else the number of the call that it is in.
  private func isAsleep(in systemCalls: Set<Int>) -> Bool {
    guard let file = try? File.open(bytes(place), .read),
      let text = try? file.read(byteCount: 256, at: 0),
      let first = String(decoding: text, as: UTF8.self).split(separator: " ").first,
      let number = Int(first)
    else { return false }
    return systemCalls.contains(number)
  }

  /// What the call returned once it was woken.
  func result() throws -> Result {
    let result = try #require(results.receive(deadline: soon()), "the thread was not woken")
    thread.join()
    return result
  }
}

#if arch(x86_64)
let pollCalls: Set<Int> = [271]
// recvfrom and recvmsg.
let receiveCalls: Set<Int> = [45, 47]
let sendCalls: Set<Int> = [46]
let futexCalls: Set<Int> = [202]
#else
let pollCalls: Set<Int> = [73]
let receiveCalls: Set<Int> = [207, 212]
let sendCalls: Set<Int> = [211]
let futexCalls: Set<Int> = [98]
#endif
