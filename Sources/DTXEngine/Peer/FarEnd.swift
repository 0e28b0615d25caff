internal import DTXCore
internal import DTXLinux

/// The process at the other end: `dtx serve --stdio`, started through the user's own remote shell
/// or, for a destination on this machine, started here.
final class FarEnd: Sendable {
  let channel: ControlChannel
  /// What people call the other end.
  let name: String
  let isLocal: Bool
  private let child: Child
  private let hasRemoteShell: Bool

  private init(
    channel: ControlChannel,
    child: Child,
    name: String,
    isLocal: Bool,
    hasRemoteShell: Bool
  ) {
    self.channel = channel
    self.child = child
    self.name = name
    self.isLocal = isLocal
    self.hasRemoteShell = hasRemoteShell
  }

  /// Starts the other end.
  static func start(_ request: TransferRequest, host: String?) throws(TransferError) -> FarEnd {
    do {
      guard let host else {
        let arguments = [try Host.executablePath()] + words(["serve", "--stdio", "--loopback"])
        let (child, stream) = try Child.spawnConnected(arguments)
        return FarEnd(
          channel: try ControlChannel(stream),
          child: child,
          name: "this machine",
          isLocal: true,
          hasRemoteShell: false
        )
      }
      let program = try RemoteProgram.command(request, host: host)
      let arguments = RemoteShell.arguments(request.remoteShell, host: host, command: program)
      let (child, stream) = try Child.spawnConnected(words(arguments))
      return FarEnd(
        channel: try ControlChannel(stream),
        child: child,
        name: host,
        isLocal: false,
        hasRemoteShell: true
      )
    } catch let error as SystemError {
      throw TransferError("the far end cannot be started", error, remedy: "nothing was moved")
    } catch let error as TransferError {
      throw error
    } catch {
      throw TransferError(.failed, "the far end cannot be started", cause: "\(error)")
    }
  }

  /// Greets, and settles on a version.
  func greet() throws(TransferError) {
    let mine = Hello(implementation: Release.implementation)
    channel.send(mine)
    let theirs: Hello
    do throws(TransferError) {
      theirs = try channel.receiveHello(isAwaited: true)
    } catch {
      throw explain(error)
    }
    guard Hello.commonVersion(mine, theirs) != nil else {
      throw TransferError(
        .refused,
        "\(name) speaks protocol \(theirs.lowestVersion) to \(theirs.highestVersion) "
          + "(\(theirs.implementation)), this end \(mine.lowestVersion) to \(mine.highestVersion)",
        remedy: "install the same dtx at both ends, or let --bootstrap copy this one; "
          + "nothing was moved"
      )
    }
  }

  /// Ends the other end at once; callable from any thread.
  func terminate() {
    channel.close()
    child.terminate()
  }

  /// Waits for the other end's process.
  func finish() {
    channel.close()
    _ = try? child.wait()
  }

  /// What a broken greeting means, from how the process ended.
  private func explain(_ error: TransferError) -> TransferError {
    guard hasRemoteShell, error.kind == .failed else { return error }
    channel.close()
    guard case .exited(let status)? = try? child.wait() else { return error }
    switch status {
    case 255:
      return TransferError(
        .failed,
        "the remote shell could not reach \(name)",
        cause: "it ended with status 255; what it said is above",
        remedy: "try the same with ssh alone; nothing was moved"
      )
    case 127:
      return TransferError(
        .refused,
        "there is no dtx at \(name)",
        cause: "the remote shell found no such program",
        remedy: "give its path with --dtx-path, or let --bootstrap copy this one; "
          + "nothing was moved"
      )
    case 126:
      return TransferError(
        .refused,
        "the dtx at \(name) cannot be run",
        cause: "the remote shell may not start it",
        remedy: "is it for another processor? nothing was moved"
      )
    default:
      return TransferError(
        .failed,
        "the dtx at \(name) ended before it said anything",
        cause: "it ended with status \(status); what it said is above",
        remedy: "nothing was moved"
      )
    }
  }

  private static func words(_ texts: [String]) -> [[UInt8]] {
    texts.map { Array($0.utf8) }
  }
}
