internal import CLiburing
internal import Glibc

/// The signals that end a program, received where it waits for them instead of in a handler.
package enum Signals {
  /// Blocks INT, TERM and HUP here and in all threads started later, and ignores INT and PIPE.
  ///
  /// Call it first thing on the main thread, before there are others: a thread that does not block
  /// a signal would swallow it. INT is ignored so that children inherit that; a blocked signal is
  /// queued for `wait` although it is ignored. An INT or HUP that was already ignored when the
  /// program started (nohup, a background job of a script, a child of this program) stays ignored
  /// and is never received.
  package static func blockAll() { dtx_block_signals() }

  /// Waits for INT, TERM or HUP; nil once the deadline (an instant of `Clock.now`) has passed.
  ///
  /// One thread waits, which must have the signals blocked.
  package static func wait(deadline: UInt64? = nil) -> Int32? {
    while true {
      let signal = dtx_wait_signal(Clock.remaining(until: deadline))
      if signal > 0 { return signal }
      if let deadline, Clock.now() >= deadline { return nil }
    }
  }

  /// Lets the signals end the program again as by default: for the calling thread, on the main one.
  ///
  /// A signal that is already queued ends it at once.
  package static func restoreDefault() { dtx_restore_signals() }
}

extension Signals {
  /// Ends the process by a signal's default action, whatever was blocked or ignored.
  package static func endProcess(by signal: Int32) -> Never {
    restoreDefault()
    raise(signal)
    // Only a signal whose default action is to do nothing comes here.
    _exit(128 + signal)
  }
}
