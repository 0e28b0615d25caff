import Comparison
import Testing

@Suite struct ReportTests {
  @Test func columnsAreAligned() {
    var table = TextTable(["", "s", "GB/s"])
    table.append(["dtx", "0.50", "2.10"])
    table.append(["rsync daemon", "10.00", "-"])
    #expect(
      table.text == """
                          s  GB/s
        dtx            0.50  2.10
        rsync daemon  10.00     -

        """
    )
  }

  @Test(
    arguments: [
      (0.125, 2, "0.13"), (2, 0, "2"), (1.005, 1, "1.0"), (-0.001, 2, "0.00"), (-1.5, 1, "-1.5"),
      (9.999, 2, "10.00"), (.infinity, 2, "-"),
    ] as [(Double, Int, String)]
  )
  func numbersHaveTheirDigits(_ value: Double, _ digits: Int, _ text: String) {
    #expect(Quantity.fixed(value, digits) == text)
  }

  @Test(arguments: [
    (16 << 10, "16 KiB"), (8 << 30, "8 GiB"), (1000, "1000 B"), (3 << 19, "1536 KiB"),
  ])
  func bytesHaveTheirUnit(_ byteCount: Int, _ text: String) {
    #expect(Quantity.binary(byteCount) == text)
  }
}
