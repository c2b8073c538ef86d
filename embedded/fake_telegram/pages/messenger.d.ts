// What the stand-in tells its pages, as far as they use it.

interface Entity {
  type: string;
  offset: number;
  length: number;
  url?: string;
  language?: string;
}

interface KeyboardButton {
  text: string;
  url?: string;
  callback_data?: string;
}

interface Person {
  id: number;
  is_bot: boolean;
  first_name: string;
  last_name?: string;
  username?: string;
}

interface StoredFile {
  file_id: string;
  file_size: number;
  file_name?: string;
  mime_type?: string;
  duration?: number;
  width?: number;
  height?: number;
}

interface Message {
  message_id: number;
  from: Person;
  chat: { id: number };
  date: number;
  edit_date?: number;
  text?: string;
  entities?: Entity[];
  caption?: string;
  caption_entities?: Entity[];
  photo?: StoredFile[];
  document?: StoredFile;
  voice?: StoredFile;
  audio?: StoredFile;
  video?: StoredFile;
  video_note?: StoredFile;
  sticker?: { emoji: string };
  location?: { latitude: number; longitude: number };
  contact?: { first_name: string; phone_number: string };
  forward_origin?: { sender_user_name?: string };
  reply_to_message?: Message;
  reply_markup?: { inline_keyboard: KeyboardButton[][] };
  media_group_id?: string;
  new_chat_members?: Person[];
}

interface Draft {
  draft_id: number;
  text: string;
  entities: Entity[];
  seconds: number;
}

interface Chat {
  chat: { id: number; type: string; title?: string };
  person_id: number;
  is_open?: boolean;
  is_blocked?: boolean;
  has_left?: boolean;
  messages: Message[];
  typing_seconds: number;
  draft: Draft | null;
}

interface Command {
  command: string;
  description: string;
}

interface State {
  person: Person;
  bot: Person & { username: string; commands: Command[] };
  chats: Chat[];
}

type Happening =
  | ({ kind: "state" } & State)
  | { kind: "message"; message: Message }
  | { kind: "deleted"; chat_id: number; message_id: number }
  | { kind: "typing"; chat_id: number; seconds: number }
  | ({ kind: "draft"; chat_id: number } & Draft)
  | { kind: "answer"; text: string; is_alert: boolean; url: string };
