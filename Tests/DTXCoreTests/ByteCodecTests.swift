import DTXCore
import Testing

@Suite struct ByteCodecTests {
  @Test func integersAreLittleEndianAndComeBack() throws {
    var writer = ByteWriter()
    writer.append(UInt8(0x01))
    writer.append(UInt16(0x0203))
    writer.append(UInt32(0x0405_0607))
    writer.append(UInt64(0x0809_0a0b_0c0d_0e0f))
    writer.append(Int64(-2))
    writer.append(true)
    writer.append(false)
    let expected = hex("01 0302 07060504 0f0e0d0c0b0a0908 feffffffffffffff 01 00")
    #expect(writer.bytes == expected)
    #expect(writer.byteCount == expected.count)
    var reader = ByteReader(writer.bytes)
    let byte = try reader.byte("a")
    #expect(byte == 0x01)
    let two = try reader.uint16("b")
    #expect(two == 0x0203)
    let four = try reader.uint32("c")
    #expect(four == 0x0405_0607)
    let eight = try reader.uint64("d")
    #expect(eight == 0x0809_0a0b_0c0d_0e0f)
    let negative = try reader.int64("e")
    #expect(negative == -2)
    let flags = [try reader.flag("f"), try reader.flag("g")]
    #expect(flags == [true, false])
    try reader.finish("h")
  }

  @Test(
    arguments: [
      (0, "00"), (1, "01"), (0x7f, "7f"), (0x80, "8001"), (0x3fff, "ff7f"), (0x4000, "808001"),
      (UInt64(UInt32.max), "ffffffff0f"), (1 << 63, "80808080808080808001"),
      (.max, "ffffffffffffffffff01"),
    ] as [(UInt64, String)]
  )
  func varintsHaveOneForm(value: UInt64, form: String) throws {
    var writer = ByteWriter()
    writer.appendVarint(value)
    #expect(writer.bytes == hex(form))
    var reader = ByteReader(writer.bytes)
    let found = try reader.varint("n")
    #expect(found == value)
    #expect(reader.isAtEnd)
    for count in 0..<writer.byteCount {
      var short = ByteReader(writer.bytes.prefix(count))
      let error = formatError { () throws(FormatError) in _ = try short.varint("n") }
      #expect(error == FormatError(offset: count, field: "n", problem: .truncated))
    }
  }

  @Test func everyPowerOfTwoAndItsNeighboursComeBack() throws {
    for shift in 0..<64 {
      for value in [UInt64(1) << UInt64(shift), (UInt64(1) << UInt64(shift)) - 1] {
        var writer = ByteWriter()
        writer.appendVarint(value)
        var reader = ByteReader(writer.bytes)
        let found = try reader.varint("n")
        #expect(found == value)
      }
    }
  }

  @Test(arguments: ["8000", "ff00", "808000", "80808080808080808000"])
  func aLongerFormIsRefused(form: String) {
    var reader = ByteReader(hex(form))
    let error = formatError { () throws(FormatError) in _ = try reader.varint("n") }
    #expect(error == FormatError(offset: 0, field: "n", problem: .notMinimal))
  }

  @Test(arguments: ["80808080808080808002", "ffffffffffffffffff7f", "8080808080808080808001"])
  func moreThan64BitsAreRefused(form: String) {
    var reader = ByteReader(hex(form))
    let error = formatError { () throws(FormatError) in _ = try reader.varint("n") }
    #expect(error == FormatError(offset: 0, field: "n", problem: .invalid("over 64 bits")))
  }

  @Test func lengthsAreBoundBeforeTheyAreUsed() throws {
    for count in [0, 1, 127, 128, 300] {
      var writer = ByteWriter()
      writer.appendCounted(Array(repeating: UInt8(7), count: count))
      var reader = ByteReader(writer.bytes)
      let found = try reader.counted("text", maximum: count)
      #expect(found.count == count)
      if count == 0 { continue }
      reader = ByteReader(writer.bytes)
      let large = formatError { () throws(FormatError) in
        _ = try reader.counted("text", maximum: count - 1)
      }
      let problem = FormatError.Problem.tooLarge(found: UInt64(count), allowed: UInt64(count - 1))
      #expect(large == FormatError(offset: 0, field: "text", problem: problem))
      reader = ByteReader(writer.bytes.dropLast())
      let short = formatError { () throws(FormatError) in
        _ = try reader.counted("text", maximum: count)
      }
      #expect(short?.problem == .truncated)
    }
    var reader = ByteReader(hex("ffffffffffffffffff01"))
    let error = formatError { () throws(FormatError) in
      _ = try reader.counted("text", maximum: .max)
    }
    #expect(error?.problem == .tooLarge(found: .max, allowed: UInt64(Int.max)))
  }

  @Test func textMustBeUTF8() throws {
    var reader = ByteReader(hex("03 e282ac"))
    let text = try reader.text("text", maximum: 3)
    #expect(text == "€")
    reader = ByteReader(hex("00 02 e282"))
    _ = try reader.byte("skipped")
    let error = formatError { () throws(FormatError) in _ = try reader.text("text", maximum: 3) }
    #expect(error == FormatError(offset: 1, field: "text", problem: .invalid("not UTF-8")))
  }

  @Test func flagsAreZeroOrOne() {
    var reader = ByteReader([2])
    let error = formatError { () throws(FormatError) in _ = try reader.flag("flag") }
    #expect(error?.problem == .unexpected(found: 2))
  }

  @Test func trailingBytesAreCounted() {
    let reader = ByteReader([1, 2, 3])
    let error = formatError { () throws(FormatError) in try reader.finish("frame") }
    #expect(error == FormatError(offset: 0, field: "frame", problem: .trailingBytes(3)))
  }

  @Test func aSliceIsReadFromItsOwnStart() throws {
    let bytes: [UInt8] = [9, 9, 1, 2]
    var reader = ByteReader(bytes[2...])
    #expect(reader.remainingByteCount == 2)
    let all = try reader.raw("all", byteCount: 2)
    #expect(all.elementsEqual([1, 2]))
    #expect(reader.offset == 2)
  }

  @Test func fixedFieldsThatAreCutShortAreNamed() {
    for count in 0..<8 {
      var reader = ByteReader(Array(repeating: UInt8(1), count: count))
      let error = formatError { () throws(FormatError) in _ = try reader.uint64("field") }
      #expect(error == FormatError(offset: 0, field: "field", problem: .truncated))
    }
  }

  @Test func digestsHaveTheirAlgorithmsLength() throws {
    let digest = Digest(words: (1, 2, 3, 4))
    var writer = ByteWriter()
    writer.append(digest, .xxh3)
    writer.append(digest, .sha256)
    #expect(writer.byteCount == 48)
    var reader = ByteReader(writer.bytes)
    let short = try reader.digest("short", .xxh3)
    #expect(short == Digest(words: (1, 2, 0, 0)))
    let long = try reader.digest("long", .sha256)
    #expect(long == digest)
    #expect(Digest.xxh3(of: []).hex(16) == "99aa06d3014798d86001c324468d497f")
  }

  @Test func errorsSayWhereWhichFieldAndWhy() {
    let error = FormatError(
      offset: 12,
      field: "name",
      problem: .tooLarge(found: 300, allowed: 255)
    )
    #expect("\(error)" == "name at byte 12: 300 is more than the 255 allowed")
  }
}
