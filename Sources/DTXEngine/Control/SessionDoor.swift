internal import DTXCore
internal import DTXLinux

/// Where other processes of the same user reach a transfer that runs: a socket that is named by the
/// number of its process.
///
/// A request is a line, and so is the answer; a thread of its own serves them one by one.
final class SessionDoor: Sendable {
  /// What a visitor may take to say a line.
  private static let patienceNanoseconds = 2 * Duration.second

  private static let shortageNanoseconds = 50 * Duration.millisecond

  private let listener: Socket
  private let path: [UInt8]
  private let thread: Thread

  /// Opens the door of this process.
  ///
  /// - Parameter answer: is called with each request, on the door's thread.
  /// - Returns: nil where there is no place for it: a transfer goes on without.
  static func open(_ answer: @escaping @Sendable (String) -> String) -> SessionDoor? {
    guard let place = RunningSession.place(creating: true) else { return nil }
    let path = place + Array("/\(Host.processID)".utf8)
    // An earlier process with this number left it behind.
    RunningSession.remove(path)
    guard let listener = try? Socket.listen(at: path) else { return nil }
    return try? SessionDoor(listener, path, answer)
  }

  private init(
    _ listener: Socket,
    _ path: [UInt8],
    _ answer: @escaping @Sendable (String) -> String
  ) throws(SystemError) {
    self.listener = listener
    self.path = path
    thread = try Thread(name: "dtx-door") {
      while true {
        do throws(SystemError) {
          guard let visitor = try listener.accept() else { return }
          SessionDoor.serve(visitor, answer)
        } catch {
          // Descriptors or memory are short for a while; the visitor waits.
          Clock.sleep(nanoseconds: SessionDoor.shortageNanoseconds)
        }
      }
    }
  }

  private static func serve(_ visitor: Socket, _ answer: (String) -> String) {
    guard (try? visitor.peerUserID) == Host.effectiveUserID else { return }
    let deadline = Clock.now() + patienceNanoseconds
    guard let request = RunningSession.line(from: visitor, before: deadline) else { return }
    try? visitor.sendAll(Array("\(answer(request))\n".utf8))
  }

  /// Lets nobody in any more.
  func close() {
    listener.shutdown()
    thread.join()
    RunningSession.remove(path)
  }
}

/// What a transfer that runs answers to those who come to its door.
struct SessionControl: Sendable {
  /// Direction, sources and destination.
  let title: String
  /// Lanes as the user asked for them, and as they are planned.
  let asked: [Lane]
  let planned: [Lane]
  /// Whether the one lane goes through the control channel, where nothing holds a rate.
  let usesControlChannel: Bool
  let adjust: @Sendable (Adjustment) -> Void

  /// Does what a request wants.
  ///
  /// - Parameter request: one line.
  /// - Returns: one line: `ok` or `no`, and what there is to say.
  func answer(_ request: String) -> String {
    let words = request.split(separator: " ")
    switch words.first {
    case "describe":
      return "ok \(title)"
    case "pause":
      adjust(.pause)
      return "ok"
    case "resume":
      adjust(.resume)
      return "ok"
    case "rate":
      guard words.count == 2, let bits = UInt64(words[1]), bits > 0 else { return "no rate" }
      return setRate(Rate(bitsPerSecond: bits))
    default:
      return "no such request here: this is \(Release.implementation)"
    }
  }

  private func setRate(_ rate: Rate) -> String {
    if usesControlChannel {
      return "no its lane goes through the remote shell, which holds no rate"
    }
    do throws(Adjustment.Refusal) {
      adjust(try .sharing(rate, among: asked, planned: planned))
      return "ok"
    } catch {
      return "no \(error.reason)"
    }
  }
}
