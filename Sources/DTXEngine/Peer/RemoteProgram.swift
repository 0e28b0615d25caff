internal import Crypto
internal import DTXLinux

/// The program that is started at the far end: one that is there, or a copy of this one.
enum RemoteProgram {
  /// The command line for the far end's shell.
  ///
  /// Paths of the transfer never stand in it: they travel in the protocol.
  static func command(
    _ request: TransferRequest,
    host: String
  ) throws(TransferError) -> String {
    if request.bootstraps { return try bootstrap(request, host: host) }
    return quoted(request.remoteProgram) + " serve --stdio"
  }

  /// One word for a POSIX shell, whatever is in it; a leading `~/` still means the home there.
  static func quoted(_ text: String) -> String {
    if text.hasPrefix("~/") { return "~/" + quoted(String(text.dropFirst(2))) }
    var word = "'"
    for character in text {
      word += character == "'" ? "'\\''" : String(character)
    }
    return word + "'"
  }

  /// Copies this program to the user's cache at the far end, unless it is there already.
  ///
  /// It is kept under its own SHA-256, so several versions live side by side, and it is only run
  /// when what arrived has that digest.
  private static func bootstrap(
    _ request: TransferRequest,
    host: String
  ) throws(TransferError) -> String {
    let binary = try ownBinary()
    let name = SHA256.hash(data: binary).map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
    let path = "\"${XDG_CACHE_HOME:-$HOME/.cache}/dtx/\(name)/dtx\""
    let sum = "cut -d \" \" -f 1"
    let look =
      "p=\(path); [ \"$({ sha256sum < \"$p\"; } 2>/dev/null | \(sum))\" = \(name) ] && echo have"
    let store =
      "p=\(path); mkdir -p \"${p%/*}\" && cat > \"$p.$$\" && "
      + "[ \"$(sha256sum < \"$p.$$\" | \(sum))\" = \(name) ] && chmod 755 \"$p.$$\" && "
      + "mv \"$p.$$\" \"$p\" && echo stored"
    if run(look, request, host) != "have\n", run(store, request, host, input: binary) != "stored\n"
    {
      throw TransferError(
        .refused,
        "this dtx could not be copied to \(host)",
        remedy: "is there room in the cache directory of the user there? nothing was moved"
      )
    }
    return "sh -c " + quoted("p=\(path); exec \"$p\" serve --stdio")
  }

  private static func run(
    _ script: String,
    _ request: TransferRequest,
    _ host: String,
    input: [UInt8] = []
  ) -> String? {
    let command = "sh -c " + quoted(script)
    return RemoteShell.output(
      of: RemoteShell.arguments(request.remoteShell, host: host, command: command),
      input: input
    )
  }

  private static func ownBinary() throws(TransferError) -> [UInt8] {
    do {
      let file = try File.open(try Host.executablePath(), .read)
      let byteCount = try file.status().byteCount
      return try file.read(byteCount: Int(byteCount), at: 0)
    } catch {
      throw TransferError("this program cannot be read to be copied", error)
    }
  }
}
