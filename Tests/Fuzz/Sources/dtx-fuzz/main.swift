internal import Decoders
internal import Glibc

/// libFuzzer's own `main`, as a function that takes the arguments and what to call with each input.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
  _ argumentCount: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// What the environment names.
///
/// Not an argument, because libFuzzer starts this program again with arguments of its own.
private let chosen: Decoder = {
  let name = getenv("DTX_DECODER").map { String(cString: $0) }
  guard let decoder = Decoder.all.first(where: { $0.name == name }) else {
    let names = Decoder.all.map { $0.name }.joined(separator: "\n")
    print(names)
    exit(name == nil ? 0 : 64)
  }
  return decoder
}()

/// Ends the process at what a decoder must not do: libFuzzer then keeps the input.
private func check(_ bytes: [UInt8]) {
  do throws(Violation) {
    try chosen.check(bytes)
  } catch {
    fatalError("\(chosen.name): \(error.reason)")
  }
}

_ = chosen
private var argumentCount = CommandLine.argc
private var arguments = CommandLine.unsafeArgv
exit(
  runFuzzer(&argumentCount, &arguments) { start, count in
    check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
  }
)
