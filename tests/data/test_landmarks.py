"""What is marked in scans is read as it was meant, or a sentence says why not."""

import nibabel
import numpy as np
import pytest
from nibabel.affines import apply_affine

from scripts.data.landmarks import Landmark, MarkedScan, landmark_names, read_landmarks, require_readable
from scripts.errors import InputError

BOX = np.diag([2.0, 3.0, 4.0, 1.0])  # 20 x 18 x 16 voxels: -1 to 39, -1.5 to 52.5, -2 to 62 mm


@pytest.fixture
def scans(tmp_path, write_scan):
    """A folder of scans in two folders."""
    for name in ("a/P1", "a/P2", "b/P2", "b/P3"):
        write_scan(tmp_path / "scans" / f"{name}.nii.gz", affine=BOX)
    return tmp_path / "scans"


@pytest.fixture
def table(tmp_path):
    """A function: path of a table with this text."""

    def write(text, name="points.csv", encoding="utf-8"):
        path = tmp_path / "tables" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding=encoding)
        return path

    return write


@pytest.fixture
def masked(tmp_path, oblique, write_scan):
    """A function: a folder of oblique scans with these masks, arrays of 12 x 10 x 8 voxels or None."""

    def write(*masks, affine=None):
        for number, voxels in enumerate(masks):
            place = oblique(number) if affine is None else affine
            write_scan(tmp_path / "marked" / f"P{number}.nii.gz", (12, 10, 8), affine=place)
            if voxels is not None:
                image = nibabel.Nifti1Image(voxels.astype(np.uint8), place)
                nibabel.save(image, tmp_path / "marked" / f"P{number}_seg.nii.gz")
        return tmp_path / "marked"

    return write


def label_map(**corners):
    """Structures v1, v2, ... in the voxels of these slices."""
    voxels = np.zeros((12, 10, 8))
    for value, where in corners.items():
        voxels[where] = int(value[1:])
    return voxels


def test_points_and_boxes_of_a_table_are_landmarks_of_their_scans(scans, table):
    text = "scan,name,x,y,z,size_x,size_y,size_z\nP1,tip,1,2.5,-1,,,\nP3,tip,3,4,5,,,\nP1,sella,10,20,30,8,9,10.5\n"
    assert read_landmarks(table(text), scans) == [
        MarkedScan(
            str(scans / "a/P1.nii.gz"),
            (Landmark("tip", (1.0, 2.5, -1.0)), Landmark("sella", (10.0, 20.0, 30.0), (8.0, 9.0, 10.5))),
        ),
        MarkedScan(str(scans / "b/P3.nii.gz"), (Landmark("tip", (3.0, 4.0, 5.0)),)),
    ]


def test_names_are_in_the_order_in_which_they_appear():
    first, second = (tuple(Landmark(name, (0.0, 0.0, 0.0)) for name in names) for names in ("ca", "abc"))
    assert landmark_names([MarkedScan("1.nii", first), MarkedScan("2.nii", second)]) == ["c", "a", "b"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_is_read_as_spreadsheets_write_it(scans, table, separator):
    text = 'Scan, name,x,y,z,,\n\nP1,"a",1,2,3,,\n,,,,,,\n'.replace(",", separator)
    (scan,) = read_landmarks(table(text, encoding="utf-8-sig"), scans)
    assert scan.landmarks == (Landmark("a", (1.0, 2.0, 3.0)),)


def test_a_row_without_a_place_is_a_landmark_that_its_scan_does_not_have(scans, table):
    marked = read_landmarks(table("scan,name,x,y,z,note\nP1,a,,,,not in this scan\nP3,a,1,2,3,\n"), scans)
    assert [scan.image for scan in marked] == [str(scans / "b/P3.nii.gz")]


def test_rows_that_call_a_scan_by_different_names_are_of_one_scan(scans, table):
    rows = "".join(
        f"{name},{number},1,2,3\n"
        for number, name in enumerate(["P1", "a/P1.nii.gz", "../scans/a/P1", scans / "a/P1.nii.gz"])
    )
    (scan,) = read_landmarks(table(f"scan,name,x,y,z\n{rows}"), scans)
    assert [landmark.name for landmark in scan.landmarks] == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("scan,name,x,y\nP1,a,1,2\n", r"has no column z \(its columns are scan, name, x, y\)"),
        ("image,name,x,y,z\nP1,a,1,2,3\n", "has no column scan"),
        ("scan,name,x,y,z,size_x\nP1,a,1,2,3,4\n", "has no column size_y, size_z"),
        ("", "has no column scan, name, x, y, z .it is empty"),
        ("scan,name,x,y,z\n", "has no line below the first"),
        ("scan,name,x,y,z\n\nP1,a,1,2,three\n", "points.csv, line 3: z is 'three', which is no number"),
        ("scan;name;x;y;z\nP1;a;1,5;2;3\n", "line 2: x is '1,5', which is no number: .*with a point"),
        ("scan,name,x,y,z\nP1,a,1,5,2,3\n", r"line 2 has more cells than there are columns \(3\)"),
        ("scan,name,x,y,z\nP1,a,1,,3\n", "line 2: y is empty"),
        ("scan,name,x,y,z\nP1,a,1,nan,3\n", "line 2: y is 'nan'"),
        ("scan,name,x,y,z\nP1,,1,2,3\n", "line 2: name is empty"),
        ("scan,name,x,y,z,size_x,size_y,size_z\nP1,a,1,2,3,4,,4\n", "line 2: size_y is empty"),
        ("scan,name,x,y,z,size_x,size_y,size_z\nP1,a,1,2,3,4,0,4\n", "line 2: the size of a is .4.0, 0.0, 4.0.: give"),
        ("scan,name,x,y,z\nP1,a,1,2,3\nP1,a,4,5,6\n", "line 3: a is marked more than once in .*P1.nii.gz"),
        ("scan,name,x,y,z\nP1,a,,,\n", "Nothing is marked in the scans of"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_its_row(scans, table, text, sentence):
    with pytest.raises(InputError, match=sentence):
        read_landmarks(table(text), scans)


def test_a_table_in_another_encoding_is_refused(scans, table):
    with pytest.raises(InputError, match="is not a text in UTF-8"):
        read_landmarks(table("scan,name,x,y,z\nP1,Zähne,1,2,3\n", encoding="latin-1"), scans)


def test_a_point_outside_of_its_scan_is_refused_with_the_scans_extent(scans, table):
    with pytest.raises(InputError) as refusal:
        read_landmarks(table("scan,name,x,y,z\nP1,tip,45,10,66\n"), scans)
    said = str(refusal.value)
    assert "line 2: tip, at (45, 10, 66) mm, is 7.2 mm outside of" in said  # 6 mm in x and 4 in z
    assert said.endswith(
        "are in x -1.0 to 39.0, y -1.5 to 52.5, z -2.0 to 62.0 mm: give mm in the world of the scan's header, RAS+."
    )


def test_a_point_that_would_be_inside_with_the_signs_of_lps_says_so(scans, table):
    with pytest.raises(InputError, match=r": \(30, 40, 5\) is inside, and points in LPS.* have x and y with the other"):
        read_landmarks(table("scan,name,x,y,z\nP1,tip,-30,-40,5\n"), scans)


@pytest.mark.parametrize(("mm", "is_used"), [(0.9, True), (1.1, False)])
def test_a_point_may_be_a_mm_outside_of_the_outermost_voxels_of_an_oblique_scan(
    tmp_path, table, oblique, write_scan, mm, is_used
):
    affine = oblique(3)
    write_scan(tmp_path / "tables" / "P9.nii.gz", (20, 18, 16), affine=affine)
    along = affine[:3, 0] / np.linalg.norm(affine[:3, 0])
    x, y, z = apply_affine(affine, [19.5, 4, 4]) + mm * along
    path = table(f"scan,name,x,y,z\nP9,tip,{x},{y},{z}\n")
    if is_used:
        assert len(read_landmarks(path)) == 1
    else:
        with pytest.raises(InputError, match=r"tip.* is 1\.1 mm outside of"):
            read_landmarks(path)


def test_structures_of_oblique_masks_have_their_centre_of_mass_and_their_box_in_the_world(masked, oblique):
    voxels = label_map(v3=np.s_[2:5, 1:6, 3:7], v1=np.s_[8:9, 8:9, 0:1])
    voxels[4, 1:6, 3:7] = 0
    voxels[4, 1, 3] = 3  # 2 x 5 x 4 voxels and one more
    (scan,) = read_landmarks(masked(voxels))
    one, three = scan.landmarks
    assert (one.name, three.name) == ("1", "3")
    affine, own = oblique(0), np.argwhere(voxels == 3)
    assert np.allclose(three.point, apply_affine(affine, own.mean(0)), atol=1e-3)
    corners = np.concatenate([apply_affine(affine, own + np.array(half) - 0.5) for half in np.ndindex(2, 2, 2)])
    assert np.allclose(three.size, 2 * np.abs(corners - three.point).max(0), atol=1e-3)
    assert np.allclose(one.size, np.abs(affine[:3, :3]).sum(1), atol=1e-3)  # of one voxel


def test_a_table_names_structures_and_what_no_mask_has_is_told(masked, tmp_path, caplog):
    (tmp_path / "names.csv").write_text("name,values\nboth,1 2\nleft,1\nspleen,9\n", encoding="utf-8")
    folder = masked(label_map(v1=np.s_[0:2, 0:2, 0:2], v2=np.s_[2:4, 0:2, 0:2]), affine=np.eye(4))
    (scan,) = read_landmarks(folder, structures=tmp_path / "names.csv")
    assert scan.landmarks == (
        Landmark("both", (1.5, 0.5, 0.5), (4.0, 2.0, 2.0)),
        Landmark("left", (0.5, 0.5, 0.5), (2.0, 2.0, 2.0)),
    )
    assert "No mask has spleen, which" in caplog.text


def test_an_empty_structure_is_no_landmark_of_its_scan_and_that_is_told(masked, caplog):
    caplog.set_level("INFO")
    left, right = np.s_[0:2, 0:2, 0:2], np.s_[9:11, 0:2, 0:2]
    marked = read_landmarks(masked(label_map(v1=left, v2=right), label_map(v2=right), label_map(), None))
    assert [[landmark.name for landmark in scan.landmarks] for scan in marked] == [["1", "2"], ["2"]]
    assert "2 landmarks (1, 2) in 2 annotated scans" in caplog.text
    (warning,) = [text for text in caplog.messages if "Not all of" in text]
    assert warning.startswith("Not all of 2 annotated scans have 1 (in 1). Mark it in the others too")


def test_what_is_marked_in_all_scans_is_no_warning(scans, table, caplog):
    read_landmarks(table("scan,name,x,y,z\nP1,a,1,2,3\nP3,a,1,2,3\n"), scans)
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_a_list_of_scans_and_masks_is_told_from_a_table_of_points_by_its_columns(masked, table):
    folder = masked(label_map(v1=np.s_[0:2, 0:2, 0:2]), None)
    path = table(f"image,subject,label\n{folder}/P0.nii.gz,P0,{folder}/P0_seg.nii.gz\n{folder}/P1.nii.gz,P1,\n")
    (scan,) = read_landmarks(path)
    assert scan.image == str(folder / "P0.nii.gz") and landmark_names([scan]) == ["1"]


def test_a_mask_in_another_grid_is_refused(masked, write_scan, oblique):
    folder = masked(None)
    write_scan(folder / "P0_seg.nii.gz", voxels=np.ones((12, 10, 9)), affine=oblique(0))
    with pytest.raises(InputError, match=r"P0_seg.nii.gz is not in the grid of .*P0.nii.gz \(12x10x9 voxels, not"):
        read_landmarks(folder)


def test_several_masks_of_a_scan_are_refused(masked, write_scan, oblique):
    folder = masked(label_map(v1=np.s_[0:2, 0:2, 0:2]))
    write_scan(folder / "P0_roi.nii.gz", voxels=np.ones((12, 10, 8)), affine=oblique(0))
    with pytest.raises(InputError, match=r"and 1 more of .* are several masks: give them as one label map"):
        read_landmarks(folder)


@pytest.mark.parametrize(
    ("masks", "sentence"),
    [([None], "None of 1 scans of .* has a mask"), ([np.zeros((12, 10, 8))], "Nothing is marked")],
)
def test_scans_in_which_nothing_is_marked_are_refused(masked, masks, sentence):
    with pytest.raises(InputError, match=sentence):
        read_landmarks(masked(*masks))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("points.fcsv", "files of 3D Slicer do not say of which scan they are"),
        ("points.mrk.json", "files of 3D Slicer do not say of which scan they are"),
        ("points.xlsx", "is neither a CSV table nor a folder or list of scans with masks"),
    ],
)
def test_other_files_are_refused(table, name, sentence):
    with pytest.raises(InputError, match=sentence):
        read_landmarks(table("{}", name))


@pytest.mark.parametrize(
    ("path", "sentence"), [("null", "landmarks is not given"), ("/no/such.csv", "There is no /no")]
)
def test_what_is_not_there_is_asked_for(path, sentence):
    with pytest.raises(InputError, match=sentence):
        read_landmarks(path)


def test_names_of_structures_are_refused_where_nothing_is_a_structure(scans, table):
    with pytest.raises(InputError, match=r"structures names values of masks, but .*points.csv is a table of points"):
        read_landmarks(table("scan,name,x,y,z\nP1,a,1,2,3\n"), scans, structures="names.csv")


def test_a_scan_that_cannot_be_read_is_named(scans, table):
    (scans / "a/P1.nii.gz").write_bytes(b"no scan")
    with pytest.raises(InputError, match=r"a/P1\.nii\.gz cannot be read"):
        read_landmarks(table("scan,name,x,y,z\nP1,a,1,2,3\n"), scans)


def test_scans_that_are_looked_at_are_read_to_their_end(scans, table):
    points = table("scan,name,x,y,z\nP1,tip,1,2.5,-1\n")
    marked = read_landmarks(points, scans)
    assert require_readable(marked) is marked
    damaged = scans / "a" / "P1.nii.gz"
    damaged.write_bytes(damaged.read_bytes()[:-1000])
    with pytest.raises(InputError, match=r"P1\.nii\.gz, in which landmarks are marked, is truncated: mend it"):
        require_readable(read_landmarks(points, scans))


def test_a_folder_of_scans_that_is_not_there_is_what_is_complained_of(table, tmp_path):
    with pytest.raises(InputError, match="scanz: give dataset_dir"):
        read_landmarks(table("scan,name,x,y,z\nP1,tip,1,2,3\n"), tmp_path / "scanz")
