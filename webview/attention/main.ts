import '../ui/cspNonce.ts';
import type { AttentionViewIn, AttentionViewOut } from '../../src/shared/protocol/panel.ts';
import { registerControls } from '../ui/controls.ts';
import { connectHost } from '../ui/host.ts';
import { adoptPageStyles } from '../ui/pageStyles.ts';
import { AttentionView } from './attentionView.ts';

registerControls();
adoptPageStyles('sideBar');
const view = new AttentionView();
const host = connectHost<AttentionViewIn, AttentionViewOut>((message) => view.receive(message));
view.host = host;
document.body.append(view);
host.post({ type: 'ready', weighting: view.weighting });
