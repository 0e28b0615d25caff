package import DTXCore
internal import DTXLinux

/// A transfer of this user's that runs on this machine, as other processes see it.
package struct RunningSession: Sendable {
  /// The number of its process.
  package let process: Int32
  /// Direction, sources and destination.
  package let title: String

  package init(process: Int32, title: String) {
    self.process = process
    self.title = title
  }

  /// A change that a user wants.
  package enum Change: Equatable, Sendable {
    /// Of all lanes together.
    case rate(Rate)
    case pause
    case resume

    fileprivate var request: String {
      switch self {
      case .rate(let rate): "rate \(rate.bitsPerSecond)"
      case .pause: "pause"
      case .resume: "resume"
      }
    }
  }

  /// Those that run, by process number; what dead ones left is removed.
  ///
  /// - Returns: none where no transfer ever ran.
  /// - Throws: what keeps this user from looking.
  package static func all() throws(TransferError) -> [RunningSession] {
    guard let place = place(creating: false) else { return [] }
    var found: [RunningSession] = []
    do throws(SystemError) {
      for item in try Directory.open(place).names() {
        guard let process = Int32(String(decoding: item.name, as: UTF8.self)),
          let answer = ask("describe", process, at: place)
        else { continue }
        found.append(RunningSession(process: process, title: answer.text))
      }
    } catch {
      throw TransferError("the transfers that run cannot be seen", error)
    }
    return found.sorted { $0.process < $1.process }
  }

  /// Makes a change.
  ///
  /// - Parameter change: what the user wants.
  /// - Throws: `.failed` where it has ended meanwhile, `.refused` with its reason.
  package func apply(_ change: Change) throws(TransferError) {
    guard let place = RunningSession.place(creating: false),
      let answer = RunningSession.ask(change.request, process, at: place)
    else { throw TransferError(.failed, "session \(process) has ended") }
    guard answer.isWilling else {
      throw TransferError(.refused, "session \(process) does not do that", cause: answer.text)
    }
  }

  // MARK: - Doors

  /// `$XDG_RUNTIME_DIR/dtx`, else `run` beside the user's other state.
  ///
  /// - Parameter creating: makes it, for this user alone.
  /// - Returns: nil where there is none, or others may write to it.
  static func place(creating: Bool) -> [UInt8]? {
    let runtime = Host.environment("XDG_RUNTIME_DIR").flatMap { $0.hasPrefix("/") ? $0 : nil }
    let below = UserDirectory.state.map { $0 + Array("/run".utf8) }
    guard let path = runtime.map({ Array("\($0)/dtx".utf8) }) ?? below else { return nil }
    if creating { _ = try? UserDirectory.make(path) }
    guard let status = try? Directory.open(path).status(of: []),
      status.userID == Host.effectiveUserID, status.mode & 0o022 == 0
    else { return nil }
    return path
  }

  static func remove(_ path: [UInt8]) {
    guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return }
    let directory = try? Directory.open(Array(path[..<slash]))
    try? directory?.unlink(Array(path[(slash + 1)...]))
  }

  /// Says a line at a door.
  ///
  /// - Returns: the answer; nil where nobody is at home.
  private static func ask(
    _ request: String,
    _ process: Int32,
    at place: [UInt8]
  ) -> (isWilling: Bool, text: String)? {
    let path = place + Array("/\(process)".utf8)
    let socket: Socket
    do throws(SystemError) {
      socket = try Socket.connect(at: path)
    } catch {
      if error.name == "ECONNREFUSED" { remove(path) }
      return nil
    }
    guard (try? socket.sendAll(Array("\(request)\n".utf8))) != nil,
      let answer = line(from: socket, before: Clock.now() + 5 * Duration.second)
    else { return nil }
    let parts = answer.split(separator: " ", maxSplits: 1)
    return (parts.first == "ok", parts.count > 1 ? String(parts[1]) : "")
  }

  /// Reads a line of at most 4 KiB.
  static func line(from socket: Socket, before deadline: UInt64) -> String? {
    var bytes: [UInt8] = []
    while bytes.count < 4096 {
      guard (try? socket.waitReadable(before: deadline)) == true else { return nil }
      var piece = [UInt8](repeating: 0, count: 4096)
      guard let count = try? piece.withUnsafeMutableBytes({ try socket.receiveSome($0) }), count > 0
      else { return nil }
      bytes += piece[..<count]
      if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
        return String(validating: bytes[..<end], as: UTF8.self)
      }
    }
    return nil
  }
}
