"""The Curves view, headlessly: every control, every loss, and what is said where there is nothing to draw."""

import pytest
from streamlit.testing.v1 import AppTest

from segdemo.losses import FACTS
from segdemo.losslab.curves import PIXEL_LOSSES, REGION_LOSSES
from segdemo.text import _

from .app_run import sound

pytestmark = pytest.mark.usefixtures("one_thread")


def curves_page() -> None:
    from segdemo.ui.losses_curves import show_curves

    show_curves()


def run() -> AppTest:
    return sound(AppTest.from_function(curves_page, default_timeout=60).run())


def texts(app: AppTest) -> str:
    return " ".join(element.value for kind in (app.markdown, app.caption, app.info) for element in kind)


def titles(app: AppTest) -> list[str]:
    return list(app.dataframe[0].value.iloc[:, 0])


def test_it_opens_on_a_region_and_says_which_constant_each_loss_likes() -> None:
    app = run()
    assert titles(app) == [FACTS[name].title for name in ("bce", "focal", "dice", "tversky")]
    assert "**Binary cross entropy**: p = 0.05, the share itself" in texts(app)
    assert "**Dice loss, Tversky loss**: all foreground" in texts(app)
    assert "Boundary loss, MS-SSIM loss, U-Net 3+ loss ask where pixels lie" in texts(app)
    assert len(app.get("plotly_chart")) == 2


def test_the_share_moves_what_cross_entropy_likes_and_loses_a_tiny_object_to_the_smoothing() -> None:
    app = run()
    sound(app.select_slider(key="curves_share").set_value(0.01).run())
    assert "**Binary cross entropy**: p = 0.01, the share itself" in texts(app)
    assert "**Dice loss, Tversky loss**: no foreground at all" in texts(app)
    sound(app.slider(key="curves_dice_smooth").set_value(0.0).run())
    assert "**Dice loss**: all foreground" in texts(app)


def test_an_empty_mask_asks_for_its_policy() -> None:
    app = run()
    with pytest.raises(KeyError):
        app.selectbox(key="curves_dice_empty")
    sound(app.select_slider(key="curves_share").set_value(0.0).run())
    assert app.dataframe[0].value["Gradient, foreground"].tolist() == ["–"] * 4
    for policy, loss in (("one", "1"), ("zero", "0"), ("skip", "0")):
        sound(app.selectbox(key="curves_dice_empty").set_value(policy).run())
        assert app.dataframe[0].value["Loss"][2] == loss
    sound(app.select_slider(key="curves_share").set_value(1.0).run())
    assert app.dataframe[0].value["Gradient, background"].tolist() == ["–"] * 4


def test_what_the_background_is_predicted_with() -> None:
    app = run()
    sound(app.selectbox(key="curves_surround").set_value("fixed").run())
    before = app.dataframe[0].value["Loss"].tolist()
    sound(app.slider(key="curves_background").set_value(40).run())
    assert all(float(new) > float(old) for new, old in zip(app.dataframe[0].value["Loss"], before, strict=True))
    assert "the smaller the object, the harder each is pulled" in texts(app)
    sound(app.selectbox(key="curves_surround").set_value("mirror").run())
    assert set(app.dataframe[0].value["Lowest at p"]) == {"1"}


def test_reading_off_another_p_by_p_and_on_powers_of_ten() -> None:
    app = run()
    sound(app.slider(key="curves_at").set_value(0.5).run())
    table = app.dataframe[0].value
    assert (table["Loss"][0], table["Gradient, foreground"][0], table["Gradient, background"][0]) == ("0.693", "−0.5", "0.5")
    sound(app.segmented_control(key="curves_respect").set_value("prob").run())
    assert app.dataframe[0].value["Gradient, foreground"][0] == "−2"
    sound(app.toggle(key="curves_log").set_value(True).run())
    assert '"log"' in app.get("plotly_chart")[1].proto.spec


def test_one_pixel_alone_shows_the_losses_that_judge_it_by_itself() -> None:
    app = run()
    sound(app.segmented_control(key="curves_scene").set_value("pixel").run())
    assert titles(app) == [FACTS[name].title for name in ("bce", "weighted_bce", "focal", "ohem")]
    table = app.dataframe[0].value
    assert float(table["Loss, foreground"][1]) == pytest.approx(3 * float(table["Loss, foreground"][0]), rel=0.01)
    sound(app.slider(key="curves_weighted_bce_pos_weight").set_value(5.0).run())
    assert app.dataframe[0].value["Gradient, foreground"][1] == "−4.5"
    sound(app.slider(key="curves_ohem_threshold").set_value(0.05).run())
    assert app.dataframe[0].value["Loss, foreground"][3] == "0"
    assert "judge many pixels together" in texts(app)


@pytest.mark.parametrize(("scene", "names"), [("region", REGION_LOSSES), ("pixel", PIXEL_LOSSES)])
def test_all_losses_at_once_and_every_slider_to_both_ends(scene: str, names: tuple[str, ...]) -> None:
    app = run()
    sound(app.segmented_control(key="curves_scene").set_value(scene).run())
    app.session_state[f"curves_{scene}_losses"] = list(names)
    sound(app.select_slider(key="curves_share").set_value(0.0).run() if scene == "region" else app.run())
    assert titles(app) == [FACTS[name].title for name in names]
    own = [s.key for s in app.slider if s.key and s.key.removeprefix("curves_").startswith(names)]
    assert len(own) == (21 if scene == "region" else 4)
    for end in ("min", "max"):
        for key in own:
            app.slider(key=key).set_value(getattr(app.slider(key=key), end))
        sound(app.run())
    for toggle in [t.key for t in app.toggle if t.key]:
        sound(app.toggle(key=toggle).set_value(True).run())


def test_a_weight_that_the_loss_chooses_can_be_set_by_hand() -> None:
    app = run()
    app.session_state["curves_region_losses"] = ["weighted_bce"]
    sound(app.run())
    assert "**Weighted binary cross entropy**: p = 0.5" in texts(app)
    sound(app.toggle(key="curves_weighted_bce_pos_weight_set").set_value(True).run())
    sound(app.slider(key="curves_weighted_bce_pos_weight").set_value(1.0).run())
    assert "p = 0.05, the share itself" in texts(app)


def test_no_loss_is_an_invitation() -> None:
    app = run()
    app.session_state["curves_region_losses"] = []
    sound(app.run())
    assert _("Choose a loss above: its curve appears here.") in texts(app)
    assert not app.get("plotly_chart")


def test_the_explanation_opens_on_formula_paper_and_source() -> None:
    app = run()
    assert not app.code
    app.session_state["explained"] = True
    sound(app.run())
    assert app.latex[0].value.strip("$\n ") == FACTS["bce"].formula
    assert "def bce_loss(" in app.code[0].value
    assert "def weighted_bce_loss(" not in app.code[0].value
    sound(app.toggle(key="explained_whole").set_value(True).run())
    assert "def weighted_bce_loss(" in app.code[0].value
    for name in ("focal", "dice", "tversky"):
        sound(app.segmented_control(key="explained_loss").set_value(name).run())
        assert FACTS[name].url in texts(app)
    app.session_state["curves_region_losses"] = ["lovasz"]
    sound(app.run())
    assert len(app.latex) == 2  # the hinge, and the softmax of several classes
