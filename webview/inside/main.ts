import '../ui/cspNonce.ts';
import type { InsidePanelIn, InsidePanelOut } from '../../src/shared/protocol/insidePanel.ts';
import { registerControls } from '../ui/controls.ts';
import { connectHost } from '../ui/host.ts';
import { adoptPageStyles } from '../ui/pageStyles.ts';
import { InsideView } from './insideView.ts';

registerControls();
adoptPageStyles('editor');
const view = new InsideView();
const host = connectHost<InsidePanelIn, InsidePanelOut>((message) => view.receive(message));
view.host = host;
document.body.append(view);
host.post({ type: 'ready' });
