// @ts-check
import { Dialog } from "./dialog.js";
import { showKeys } from "./keys_dialog.js";
import { Menu } from "./menu.js";
import { MessageActions } from "./message_actions.js";
import { editMessage } from "./message_editor.js";
import { sourcesFor } from "./writing_aids.js";

/** @import { MyReactions } from "../lib/my_reactions.js" */
/** @import { Requests } from "../lib/requests.js" */
/** @import { Standing } from "../lib/standing.js" */
/** @import { Message } from "../lib/types.js" */

/**
 * All that it takes to do something with a message, or to show the list of keys. It is fetched when somebody is about to.
 */
export class Acting {
  dialog;
  menu;
  actions;
  showKeys;

  /**
   * @param {{ requests: Requests, standing: Standing, mine: MyReactions, isMine(message: Message): boolean,
   *   reactions: string[], answer(message: Message): void, namesHere(): string[], me: string, refocus(): void,
   *   scroller: { hold(why: unknown): void, release(why: unknown): void } }} room `refocus` where the focus is nowhere
   */
  constructor(room) {
    const { scroller, standing, requests, refocus } = room;
    this.menu = new Menu(() => scroller.hold("menu"), () => scroller.release("menu"));
    this.dialog = new Dialog(
      () => scroller.hold("dialog"),
      () => {
        // Where the message is gone that this was about, so is the focus.
        if (document.activeElement === document.body) refocus();
        scroller.release("dialog");
      },
    );
    this.showKeys = () => showKeys(this.dialog, standing);
    this.actions = new MessageActions({
      ...room,
      dialog: this.dialog,
      edit: (message) => editMessage(message, requests, scroller, sourcesFor(room.namesHere, room.me)),
      showKeys: this.showKeys,
    });
  }
}
