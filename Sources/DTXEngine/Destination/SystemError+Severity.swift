internal import DTXLinux
internal import Glibc

extension SystemError {
  /// Why, for a report that names the path by itself.
  var reason: String { "\(operation): \(explanation) (\(name))" }

  /// Whether the next entry would fail just so: to go on would report every one of them.
  var endsTransfer: Bool {
    isAboutSpace || [EMFILE, ENFILE, ENOMEM, EROFS, EIO, ESTALE].contains(number)
  }

  /// Whether what has the name is in the way, not the permission to change it.
  var isConflict: Bool { [ELOOP, ENOTDIR, EISDIR, ENOTEMPTY, EEXIST].contains(number) }

  /// Whether the process, or the machine, can open no more files.
  var isAboutDescriptors: Bool { number == EMFILE || number == ENFILE }

  /// Whether the device takes nothing more, of whatever file.
  var isAboutDevice: Bool { isAboutSpace || number == EROFS }

  /// Whether a device could not give back what it was given.
  var isAboutMedium: Bool { [EIO, EBADMSG, EILSEQ, EUCLEAN].contains(number) }

  /// Whether nothing has the name.
  var isAbsence: Bool { number == ENOENT || number == ENOTDIR }

  /// Whether the kernel does not take a call so, on this file or with these numbers.
  var isAboutArgument: Bool { number == EINVAL || number == EOPNOTSUPP }

  /// Whether something has the name already.
  var isPresence: Bool { number == EEXIST }

  /// A connection that was given up while it had work; its blocks went over others.
  static func connectionGivenUp(_ subject: String) -> SystemError {
    SystemError(operation: "send", subject: subject, number: ECONNABORTED)
  }

  /// A file whose pages the cache does not let go of, so that its device cannot be asked.
  static func keptInMemory(_ file: File) -> SystemError {
    SystemError(operation: "read past the page cache", subject: printable(file.path), number: EBUSY)
  }

  /// A place that another entry has taken.
  static func occupied(_ subject: String) -> SystemError {
    SystemError(operation: "rename", subject: subject, number: EEXIST)
  }

  /// A staged file beside which another entry's has a name that leads to it as well.
  static func stagedInOtherSpelling(_ subject: String) -> SystemError {
    let operation = "stage it beside another spelling of its name"
    return SystemError(operation: operation, subject: subject, number: EEXIST)
  }

  /// A staged file that somebody replaced while it was in use.
  static func staleStaged(_ subject: String) -> SystemError {
    SystemError(operation: "open staged file", subject: subject, number: ENOENT)
  }
}

extension TransferError {
  /// Calls what a command cannot go on without; a failed system call becomes the command's error.
  static func unless<Result>(
    _ summary: @autoclosure () -> String,
    remedy: String? = nil,
    _ body: () throws(SystemError) -> Result
  ) throws(TransferError) -> Result {
    do throws(SystemError) {
      return try body()
    } catch {
      throw TransferError(summary(), error, remedy: remedy)
    }
  }
}
