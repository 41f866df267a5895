"""Genotypes that PLINK wrote, as one more table of persons."""

import numpy as np
import pytest

from scripts.data.plink import read_plink
from scripts.data.tables import read_tables
from scripts.errors import InputError

GENOTYPES = np.array([[0, 1, 2], [2, np.nan, 1], [1, 1, 0]])
BIM = "1 rs1 0 1200 A G\n2 2:77:C:T 0 77 C T\n0 rs3 0 0 T C\n"
COLUMNS = ["rs1 chr1:1200_A", "2:77:C:T_C", "rs3_T"]
FAM = "".join(f"F{i} P{i} 0 0 {1 + i % 2} -9\n" for i in range(3))
HEAD = "FID IID PAT MAT SEX PHENOTYPE rs1_A 2:77:C:T_C rs3_T\n"
RAW = HEAD + "F0 P0 0 0 1 -9 0 1 2\nF1 P1 0 0 2 -9 2 NA 1\nF2 P2 0 0 1 -9 1 1 0\n"


@pytest.fixture
def raw(tmp_path):
    (tmp_path / "array.raw").write_text(RAW, encoding="utf-8")
    return tmp_path / "array.raw"


@pytest.fixture
def bed(tmp_path):
    """A .bed, variant after variant, of up to four persons a byte: 0 is two of A1, 1 missing, 2 one and 3 none."""
    code = {0.0: 3, 1.0: 2, 2.0: 0}
    bits = [sum(code.get(count, 1) << 2 * person for person, count in enumerate(column)) for column in GENOTYPES.T]
    (tmp_path / "array.bed").write_bytes(bytes([0x6C, 0x1B, 0x01, *bits]))
    (tmp_path / "array.bim").write_text(BIM.replace(" ", "\t"), encoding="utf-8")
    (tmp_path / "array.fam").write_text(FAM, encoding="utf-8")
    return tmp_path / "array.bed"


def require_as_is(cells, columns):
    assert (cells.names, cells.columns, cells.texts) == (["P0", "P1", "P2"], columns, {})
    assert np.array_equal(cells.values, GENOTYPES, equal_nan=True) and cells.values.dtype == np.float32


def test_binary_genotypes_are_counts_of_the_first_allele(bed):
    pytest.importorskip("bed_reader")
    require_as_is(read_plink(str(bed)), COLUMNS)


def test_genotypes_in_text_are_the_same(raw):
    require_as_is(read_plink(str(raw)), ["rs1_A", "2:77:C:T_C", "rs3_T"])
    raw.with_suffix(".bim").write_text(BIM, encoding="utf-8")
    require_as_is(read_plink(str(raw)), COLUMNS)


@pytest.mark.parametrize(
    "sid, called",
    [("1:5:A:G", "1:5:A:G_A"), ("chr1:5", "chr1:5_A"), (".", "chr1:5_A"), ("11:57:A:G", "11:57:A:G chr1:5_A")],
)
def test_a_variant_keeps_the_name_by_which_it_differs_from_others_at_its_place(raw, sid, called):
    raw.write_text(RAW.replace("rs1_A", f"{sid}_A"), encoding="utf-8")
    raw.with_suffix(".bim").write_text(f"1 {sid} 0 5 A G\n", encoding="utf-8")
    assert read_plink(str(raw)).columns[0] == called


def test_genotypes_are_a_table_among_others(raw, tmp_path):
    (tmp_path / "blood.csv").write_text("subject,iron\nsub-P0,3\nsub-P1,4\n", encoding="utf-8")
    scans = [{"subject": f"sub-P{i}"} for i in range(2)]
    array, blood = read_tables([str(raw), str(tmp_path / "blood.csv")], scans)
    assert (array.name, array.persons, blood.persons) == ("array", *[["sub-P0", "sub-P1"]] * 2)
    assert array.columns == ["rs1_A", "2:77:C:T_C", "rs3_T"]
    assert np.array_equal(array.values, GENOTYPES[:2], equal_nan=True)


def test_who_lacks_the_reader_is_told_in_one_sentence(bed, monkeypatch):
    monkeypatch.setattr("scripts.errors.find_spec", lambda name: None)
    with pytest.raises(
        InputError, match=r"array.bed, a table of genotypes, needs bed-reader, .*: pip install bed-reader"
    ):
        read_plink(str(bed))


@pytest.mark.parametrize(
    "content, why",
    [
        ("id,rs1\nP0,1\n", "its first line does not begin with FID IID"),
        (HEAD + "F0 P0 0 0 1 -9 0 1\n", "P0 has 8 cells, and the first line 9"),
        (HEAD + "F0 P0 0 0 1 -9 0 1 A\n", "could not convert"),
        (RAW + "F3 P1 0 0 1 -9 0 1 2\n", "two persons called P1"),
        (RAW.replace("rs3_T", "rs1_A"), "two variants called rs1_A"),
    ],
)
def test_what_is_no_such_table_is_refused(raw, content, why):
    raw.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=why):
        read_plink(str(raw))


def test_a_bed_of_another_kind_is_refused(bed):
    pytest.importorskip("bed_reader")
    bed.write_text("chr1\t100\t200\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"give a \.bed with its \.bim and \.fam beside it"):
        read_plink(str(bed))
    bed.with_suffix(".fam").unlink()
    with pytest.raises(InputError, match=r"give a \.bed with its \.bim and \.fam beside it"):
        read_plink(str(bed))
