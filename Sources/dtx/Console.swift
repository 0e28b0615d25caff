import DTXLinux

/// Where a command prints: reports on standard output, messages and progress on standard error.
///
/// Any thread may call it.
final class Console: Sendable {
  private struct State {
    var isLineDrawn = false
    var pending: [UInt8] = []
    /// The first failure to write a report; nothing more is written then.
    var failure: SystemError?
  }

  /// Whether the standard error stream is a terminal that a line can be redrawn on.
  let isTerminal: Bool
  private let outputDescriptor: Int32
  private let messageDescriptor: Int32
  private let bufferByteCount: Int
  private let state = Guarded(State())

  /// - Parameters:
  ///   - output: where reports go.
  ///   - messages: where messages and progress go.
  ///   - bufferByteCount: how much of a report may wait; 0 writes every line at once.
  init(output: Int32 = 1, messages: Int32 = 2, bufferByteCount: Int = 0) {
    outputDescriptor = output
    messageDescriptor = messages
    self.bufferByteCount = bufferByteCount
    isTerminal = Host.isTerminal(messages)
  }

  /// Prints lines of a report.
  func report(_ text: String) {
    state.withLock { state in
      erase(&state)
      state.pending.append(contentsOf: text.utf8)
      state.pending.append(UInt8(ascii: "\n"))
      if state.pending.count > bufferByteCount { flush(&state) }
    }
  }

  /// Prints lines for whoever watches or reads a log.
  func message(_ text: String) {
    state.withLock { state in
      erase(&state)
      write(text + "\n")
    }
  }

  /// Draws the progress line anew; nothing without a terminal.
  func draw(_ line: String) {
    guard isTerminal else { return }
    // The last column stays free: some terminals wrap as soon as it is written.
    let width = (Host.terminalWidth(messageDescriptor) ?? 80) - 1
    state.withLock { state in
      write("\r" + String(line.prefix(max(width, 0))) + "\u{1B}[K")
      state.isLineDrawn = true
    }
  }

  /// Takes the progress line away and writes what waits.
  ///
  /// - Returns: the first failure to write a report.
  @discardableResult
  func finish() -> SystemError? {
    state.withLock { state in
      erase(&state)
      flush(&state)
      return state.failure
    }
  }

  private func erase(_ state: inout State) {
    guard state.isLineDrawn else { return }
    write("\r\u{1B}[K")
    state.isLineDrawn = false
  }

  private func flush(_ state: inout State) {
    guard !state.pending.isEmpty else { return }
    defer { state.pending.removeAll(keepingCapacity: true) }
    guard state.failure == nil else { return }
    do throws(SystemError) {
      try Host.writeAll(state.pending, to: outputDescriptor)
    } catch {
      state.failure = error
    }
  }

  /// A message that cannot be shown is lost: there is no place left to say so.
  private func write(_ text: String) {
    try? Host.writeAll(Array(text.utf8), to: messageDescriptor)
  }
}
